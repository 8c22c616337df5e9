// Prints what the gateway would make of the messages in a capture, a JSON object for each frame:
// the readings of one monitor without a table of its own, and what was not understood.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "clinical/observation.hpp"
#include "intake/hl7/interpreter.hpp"
#include "intake/hl7/message.hpp"
#include "intake/hl7/mllp_decoder.hpp"
#include "intake/hl7/readable_text.hpp"

namespace mitral::intake::hl7 {
namespace {

using nlohmann::json;

std::string text_of(const std::variant<clinical::Decimal, clinical::Absent>& value) {
    const auto* decimal = std::get_if<clinical::Decimal>(&value);
    return decimal != nullptr ? clinical::to_string(*decimal)
                              : std::string(clinical::to_string(std::get<clinical::Absent>(value)));
}

json json_of(const clinical::Reading& reading) {
    auto observations = json::array();
    for (const auto& observation : reading.observations)
        observations.push_back({observation.code, text_of(observation.value), observation.unit});
    auto waves = json::array();
    for (const auto& wave : reading.waveforms)
        waves.push_back({wave.code, wave.samples.size()});
    return {{"control_id", reading.control_id},
            {"observations", std::move(observations)},
            {"waves", std::move(waves)}};
}

json json_of(const NotUnderstood& counts) {
    auto named = json::object();
    for (const auto& [name, counter] : not_understood_counters())
        if (counts.*counter != 0)
            named[std::string(name)] = counts.*counter;
    return named;
}

json read(std::string_view bytes, Interpreter& interpreter) {
    std::string storage;
    const auto readable = readable_text(bytes, storage);
    if (!readable)
        return {{"refused", readable.error().reason}};
    const auto message = Message::parse(readable->text);
    if (!message)
        return {{"refused", message.error().reason}};
    Sender sender;
    sender.source = "bed-1";
    const Arrival arrival{{1'767'225'600'000}, base::ClockState::synchronised};
    NotUnderstood counts;
    const auto readings = interpreter.read(*message, sender, arrival, counts);
    if (!readings)
        return {{"refused", readings.error().reason}};
    auto said = json::array();
    for (const auto& reading : *readings)
        said.push_back(json_of(reading));
    return {{"readings", std::move(said)}, {"not_understood", json_of(counts)}};
}

int run() {
    constexpr std::size_t piece = 8192;
    MllpDecoder decoder;
    Interpreter interpreter;
    for (;;) {
        const auto space = decoder.space(piece).first(piece);
        const auto count = ::read(STDIN_FILENO, space.data(), space.size());
        if (count <= 0)
            return count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        decoder.filled(static_cast<std::size_t>(count));
        for (auto event = decoder.next(); event.kind == MllpDecoder::Kind::frame;
             event = decoder.next()) {
            auto messages = json::array();
            for (const auto text : split_batch(event.text))
                messages.push_back(read(text, interpreter));
            std::puts(messages.dump().c_str());
        }
    }
}

}  // namespace
}  // namespace mitral::intake::hl7

int main() {
    return mitral::intake::hl7::run();
}
