#include "cloud/websocket/reader.hpp"

#include <algorithm>

namespace mitral::cloud::websocket {
namespace {

void append_unmasked(base::Bytes& out, base::ByteView bytes, const MaskingKey& key,
                     std::uint64_t offset) {
    const auto before = out.size();
    out.insert(out.end(), bytes.begin(), bytes.end());
    apply_mask(base::MutableByteView(out).subspan(before), key, offset);
}

}  // namespace

Checked<Reader::Event> Reader::next(base::ByteView& input, base::Bytes& data) {
    return in_frame_ ? take_data(input, data) : begin_frame(input);
}

Checked<Reader::Event> Reader::begin_frame(base::ByteView& input) {
    const auto header = parse_frame_header(input);
    if (!header)
        return std::unexpected(header.error());
    if (!*header)
        return Event::needs_more;
    if (!(*header)->mask)  // §5.1
        return std::unexpected(Violation{CloseCode::protocol_error, "frame without a mask"});
    const auto rest = input.subspan((*header)->size);
    if ((*header)->is_control()) {
        if (rest.size() < (*header)->length)
            return Event::needs_more;
        input = rest.subspan((*header)->length);
        return take_control(**header, rest.first((*header)->length));
    }
    if (const auto violation = judge_data(**header))
        return std::unexpected(*violation);
    input = rest;
    frame_ = **header;
    frame_taken_ = 0;
    in_frame_ = frame_.length > 0;
    return Event::data;
}

std::optional<Violation> Reader::judge_data(const FrameHeader& header) {
    const bool continues = header.opcode == Opcode::continuation;
    if (continues && !in_message_)
        return Violation{CloseCode::protocol_error, "continuation of nothing"};
    if (!continues && in_message_)
        return Violation{CloseCode::protocol_error, "new message within another"};
    if (header.opcode == Opcode::text)  // [MQTT-6.0.0-1]
        return Violation{CloseCode::unsupported_data, "text where MQTT is binary"};
    if (!continues)
        message_bytes_ = 0;
    if (header.length > max_message_ - message_bytes_)
        return Violation{CloseCode::message_too_big, "message above the limit"};
    message_bytes_ += header.length;
    in_message_ = !header.final;
    return std::nullopt;
}

Reader::Event Reader::take_control(const FrameHeader& header, base::ByteView payload) {
    control_.clear();
    append_unmasked(control_, payload, *header.mask, 0);
    if (header.opcode == Opcode::close)
        return Event::close;
    return header.opcode == Opcode::ping ? Event::ping : Event::pong;
}

Reader::Event Reader::take_data(base::ByteView& input, base::Bytes& data) {
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(input.size(), frame_.length - frame_taken_));
    if (count == 0)
        return Event::needs_more;
    append_unmasked(data, input.first(count), *frame_.mask, frame_taken_);
    input = input.subspan(count);
    frame_taken_ += count;
    in_frame_ = frame_taken_ < frame_.length;
    return Event::data;
}

}  // namespace mitral::cloud::websocket
