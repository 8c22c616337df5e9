// Bytes of a monitor, in pieces of a size the first byte names: frames, messages, parts and
// answers.
#include <cstdlib>
#include <cstring>

#include "intake/hl7/acknowledgement.hpp"
#include "intake/hl7/message.hpp"
#include "intake/hl7/mllp_decoder.hpp"
#include "intake/hl7/text.hpp"
#include "intake/hl7/timestamp.hpp"

namespace {

using namespace mitral::intake::hl7;

bool lies_in(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void walk(const Message& message, std::string_view text) {
    for (const auto& segment : message.segments()) {
        for (std::size_t number = 1; number < 24; ++number) {
            const auto field = segment.field(number);
            const auto part = field.repetition(field.repetitions()).component(2).subcomponent(1);
            if (!lies_in(field.raw(), text) || !lies_in(part.raw(), text))
                std::abort();
            (void)parse_timestamp(field.raw());
            if (unescape(part.raw(), message.delimiters()).size() > part.raw().size() + 1)
                std::abort();
        }
    }
}

void answer(const Message& message) {
    for (const auto verdict : {Verdict::accepted, Verdict::later, Verdict::never}) {
        const auto frame = acknowledge(message.header(), verdict, "why", {0}, "1");
        if (frame && (frame->front() != frame_start || frame->find(frame_end) != frame->size() - 2))
            std::abort();
    }
}

void take(std::string_view frame) {
    for (const auto text : split_batch(frame)) {
        if (!lies_in(text, frame))
            std::abort();
        const auto message = Message::parse(text);
        if (!message)
            continue;
        walk(*message, text);
        answer(*message);
        std::string storage;
        (void)to_utf8(text, message->header().field(18).raw(), storage);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::size_t piece = std::max<std::size_t>(1, data[0]);
    std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    MllpDecoder decoder(512);
    while (!rest.empty()) {
        const auto part = rest.substr(0, piece);
        std::memcpy(decoder.space(part.size()).data(), part.data(), part.size());
        decoder.filled(part.size());
        rest.remove_prefix(part.size());
        for (auto event = decoder.next(); event.kind != MllpDecoder::Kind::none;
             event = decoder.next()) {
            if (event.text.size() > 512)
                std::abort();
            take(event.text);
        }
    }
    return 0;
}
