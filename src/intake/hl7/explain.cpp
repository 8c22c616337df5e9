#include "intake/hl7/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "intake/hl7/mllp_decoder.hpp"
#include "intake/hl7/observation_row.hpp"
#include "intake/hl7/readable_text.hpp"

namespace mitral::intake::hl7 {
namespace {

// As a terminal may show it.
std::string visible(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(
        out, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return out;
}

std::string time_of(const clinical::Reading& reading) {
    if (!reading.device_time)
        return "no device time";
    return fmt::format("{} {}", base::to_iso8601(*reading.device_time),
                       clinical::to_string(reading.device_clock));
}

std::string describe(const clinical::Observation& got) {
    const auto* number = std::get_if<clinical::Decimal>(&got.value);
    return number != nullptr
               ? fmt::format("{} {} {}", got.code, clinical::to_string(*number), got.unit)
               : fmt::format("{} absent: {}, {}", got.code,
                             clinical::to_string(std::get<clinical::Absent>(got.value)), got.unit);
}

std::string describe(const clinical::Waveform& got) {
    return fmt::format("{} {} samples, {}/s, {} {} each", got.code, got.samples.size(),
                       clinical::to_string(got.rate), clinical::to_string(got.scale), got.unit);
}

std::string_view counter_name(std::uint64_t NotUnderstood::* counter) noexcept {
    const auto& all = not_understood_counters();
    return std::ranges::find(all, counter, &NamedCounter::counter)->name;
}

class Explainer {
  public:
    Explainer(const Sender& sender, std::FILE* out) : sender_(sender), out_(out) {}

    void explain_frame(std::string_view frame) {
        for (const auto text : split_batch(frame))
            explain_message(text);
    }
    [[nodiscard]] std::size_t messages() const noexcept { return messages_; }

  private:
    using Lines = std::multimap<std::uint16_t, std::string>;  // by OBX

    void explain_message(std::string_view sent) {
        ++messages_;
        std::string storage;
        const auto readable = readable_text(sent, storage);
        if (!readable)
            return refuse(readable.error());
        const auto message = Message::parse(readable->text);
        if (!message)
            return refuse(message.error());
        // Offline nobody knows when it came: the sender's clock is taken for right.
        Arrival arrival{{}, base::ClockState::implausible};
        arrival.received = sent_at(*message, sender_.zone, {}).value_or(base::WallTime{});
        NotUnderstood counts;
        Findings findings;
        Interpreter interpreter;
        const auto readings = interpreter.read(*message, sender_, arrival, counts, &findings);
        if (!readings)
            return refuse(readings.error());
        fmt::print(out_, "message {}: {}, control id {}, {} readings\n", messages_,
                   visible(message->header().field(9).raw()),
                   control_id_of(*message, sender_.dialect), readings->size());
        print_rows(*message, *readings, findings);
        print_counts(counts);
    }

    void refuse(const Unusable& why) {
        fmt::print(out_, "message {}: refused, {}\n", messages_, why.reason);
    }

    static Lines understood(const std::vector<clinical::Reading>& readings) {
        Lines lines;
        for (const auto& reading : readings) {
            const auto add = [&](const auto& item) {
                lines.emplace(item.index, fmt::format("{}, {}, {}", describe(item),
                                                      time_of(reading), reading.source));
            };
            std::ranges::for_each(reading.observations, add);
            std::ranges::for_each(reading.waveforms, add);
        }
        return lines;
    }

    void print_rows(const Message& message, const std::vector<clinical::Reading>& readings,
                    const Findings& findings) {
        const auto lines = understood(readings);
        std::multimap<std::uint16_t, const Finding*> reasons;
        for (const auto& finding : findings)
            reasons.emplace(finding.index, &finding);
        std::uint16_t index = 0;
        for (const auto& segment : message.segments()) {
            if (segment.name() != "OBX")
                continue;
            const ObservationRow row(segment, message.delimiters(), index++);
            const auto [line, last_line] = lines.equal_range(row.index());
            for (auto at = line; at != last_line; ++at)
                fmt::print(out_, "  OBX {}: {}\n", row.index(), at->second);
            const auto [reason, last_reason] = reasons.equal_range(row.index());
            for (auto at = reason; at != last_reason; ++at)
                fmt::print(out_, "  OBX {}: not understood ({}): {}: {} | {}\n", row.index(),
                           counter_name(at->second->counter), at->second->why,
                           visible(row.identifier().raw()), visible(row.unit().raw()));
            if (line == last_line && reason == last_reason)
                fmt::print(out_, "  OBX {}: no measurement: {}\n", row.index(),
                           visible(row.identifier().raw()));
        }
    }

    void print_counts(const NotUnderstood& counts) {
        for (const auto& [name, counter] : not_understood_counters()) {
            if (counts.*counter != 0)
                fmt::print(out_, "  {}: {}\n", name, counts.*counter);
        }
    }

    const Sender& sender_;
    std::FILE* out_;
    std::size_t messages_ = 0;
};

}  // namespace

std::size_t explain(std::string_view capture, const Sender& sender, std::FILE* out) {
    Explainer explainer(sender, out);
    if (capture.find(frame_start) == std::string_view::npos) {
        explainer.explain_frame(capture);
        return explainer.messages();
    }
    MllpDecoder decoder;
    const auto space = decoder.space(capture.size());
    std::memcpy(space.data(), capture.data(), capture.size());
    decoder.filled(capture.size());
    for (auto event = decoder.next(); event.kind != MllpDecoder::Kind::none;
         event = decoder.next()) {
        if (event.kind == MllpDecoder::Kind::frame)
            explainer.explain_frame(event.text);
        else
            fmt::print(out, "a frame that {}\n",
                       event.kind == MllpDecoder::Kind::too_long ? "is too long" : "has no end");
    }
    return explainer.messages();
}

}  // namespace mitral::intake::hl7
