// Prints a capture as this library reads it, a JSON object for each frame, for readers that share
// no code with it. A text is a JSON string with one character for each of its bytes.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "intake/hl7/message.hpp"
#include "intake/hl7/mllp_decoder.hpp"
#include "intake/hl7/text.hpp"

namespace mitral::intake::hl7 {
namespace {

using nlohmann::json;

json text_of(std::string_view bytes) {
    std::string utf8;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            utf8.push_back(c);
        } else {
            utf8.push_back(static_cast<char>(0xC0 | (byte >> 6U)));
            utf8.push_back(static_cast<char>(0x80 | (byte & 0x3FU)));
        }
    }
    return utf8;
}

// A list of lists down to the subcomponents; each of those as it stands and unescaped.
json parts_of(const Part& field, const Delimiters& delimiters) {
    const auto count_of = [](std::string_view text, char delimiter) {
        return delimiter == '\0' ? 1 : 1 + std::ranges::count(text, delimiter);
    };
    auto repetitions = json::array();
    for (std::size_t r = 1; r <= field.repetitions(); ++r) {
        const auto repetition = field.repetition(r);
        auto components = json::array();
        for (std::size_t c = 1; c <= repetition.components(); ++c) {
            const auto component = repetition.component(c);
            auto subcomponents = json::array();
            const auto count = count_of(component.raw(), delimiters.subcomponent);
            for (std::size_t s = 1; s <= static_cast<std::size_t>(count); ++s) {
                const auto raw = component.subcomponent(s).raw();
                subcomponents.push_back({text_of(raw), text_of(unescape(raw, delimiters))});
            }
            components.push_back(std::move(subcomponents));
        }
        repetitions.push_back(std::move(components));
    }
    return repetitions;
}

json segment_of(const Segment& segment, const Delimiters& delimiters) {
    const bool is_header = segment.name() == "MSH";
    const auto separators =
        static_cast<std::size_t>(std::ranges::count(segment.raw(), delimiters.field));
    auto fields = json::array();
    // MSH-1 and MSH-2 are the delimiters themselves.
    for (std::size_t number = 1; number <= separators + (is_header ? 1 : 0); ++number) {
        const auto field = segment.field(number);
        fields.push_back(
            {{"raw", text_of(field.raw())},
             {"parts", is_header && number <= 2 ? json::array() : parts_of(field, delimiters)}});
    }
    return {{"name", text_of(segment.name())}, {"fields", std::move(fields)}};
}

json message_of(std::string_view bytes) {
    const auto as_sent = Message::parse(bytes);
    if (!as_sent)
        return {{"refused", as_sent.error().reason}};
    std::string storage;
    const auto utf8 = to_utf8(bytes, as_sent->header().field(18).repetition(1).raw(), storage);
    if (!utf8)
        return {{"refused", utf8.error().reason}};
    const auto message = Message::parse(*utf8);
    if (!message)
        return {{"refused", message.error().reason}};
    auto segments = json::array();
    for (const auto& segment : message->segments())
        segments.push_back(segment_of(segment, message->delimiters()));
    return {{"segments", std::move(segments)}};
}

std::string_view name_of(MllpDecoder::Kind kind) {
    switch (kind) {
        case MllpDecoder::Kind::frame:
            return "frame";
        case MllpDecoder::Kind::too_long:
            return "too long";
        default:
            return "unfinished";
    }
}

void print(const json& value) {
    std::puts(value.dump().c_str());
}

void print(const MllpDecoder::Event& event) {
    auto messages = json::array();
    if (event.kind == MllpDecoder::Kind::frame)
        for (const auto bytes : split_batch(event.text))
            messages.push_back(message_of(bytes));
    print(json{{"kind", name_of(event.kind)},
               {"text", text_of(event.text)},
               {"messages", std::move(messages)}});
}

int run(std::size_t piece) {
    MllpDecoder decoder;
    for (;;) {
        const auto space = decoder.space(piece).first(piece);
        const auto count = ::read(STDIN_FILENO, space.data(), space.size());
        if (count < 0)
            return EXIT_FAILURE;
        if (count == 0)
            break;
        decoder.filled(static_cast<std::size_t>(count));
        for (auto event = decoder.next(); event.kind != MllpDecoder::Kind::none;
             event = decoder.next())
            print(event);
    }
    print(json{{"kind", "end"}, {"junk", decoder.junk()}, {"mid_frame", decoder.mid_frame()}});
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace mitral::intake::hl7

// Reads standard input in pieces of so many bytes.
int main(int argc, char** argv) {
    const std::size_t piece = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 8192;
    return piece == 0 ? EXIT_FAILURE : mitral::intake::hl7::run(piece);
}
