#include "cloud/time/message.hpp"

#include <algorithm>

#include "cloud/error.hpp"

namespace mitral::cloud::time {
namespace {

constexpr std::string_view magic = "ROUGHTIM";
constexpr std::size_t word = 4;

void append(base::Bytes& out, std::uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::unexpected<base::Error> malformed(const char* what) {
    return base::fail(CloudError::malformed_packet, what);
}

}  // namespace

std::uint32_t load_u32(base::ByteView bytes) noexcept {
    return static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
           static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
}

base::Bytes u32(std::uint32_t value) {
    base::Bytes out;
    append(out, value, 4);
    return out;
}

base::Bytes u64(std::uint64_t value) {
    base::Bytes out;
    append(out, value, 8);
    return out;
}

base::Result<Message> Message::parse(base::ByteView bytes) {
    if (bytes.size() < word || bytes.size() % word != 0)
        return malformed("a message is a whole number of words");
    const std::size_t count = load_u32(bytes);
    if (count == 0 || count > max_tags)
        return malformed("number of tags");
    const auto header = 2 * word * count;  // the count, count − 1 offsets, count tags
    if (bytes.size() < header)
        return malformed("the header does not fit");
    const auto values = bytes.subspan(header);
    Message message;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto end = i + 1 < count ? load_u32(bytes.subspan(word * (1 + i))) : values.size();
        if (end < begin || end > values.size() || end % word != 0)
            return malformed("offsets");
        const auto name = load_u32(bytes.subspan(word * (count + i)));
        if (i > 0 && name <= message.fields_.back().first)
            return malformed("tags are not in ascending order");
        message.fields_.emplace_back(name, values.subspan(begin, end - begin));
        begin = end;
    }
    return message;
}

std::optional<base::ByteView> Message::find(std::uint32_t wanted) const noexcept {
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const auto& field) { return field.first == wanted; });
    return found == fields_.end() ? std::nullopt : std::optional(found->second);
}

base::Bytes write_message(Fields fields) {
    std::sort(fields.begin(), fields.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    base::Bytes out;
    append(out, fields.size(), word);
    std::size_t offset = 0;
    for (std::size_t i = 0; i + 1 < fields.size(); ++i) {
        offset += fields[i].second.size();
        append(out, offset, word);
    }
    for (const auto& field : fields)
        append(out, field.first, word);
    for (const auto& field : fields)
        out.insert(out.end(), field.second.begin(), field.second.end());
    return out;
}

base::Bytes write_packet(base::ByteView message) {
    auto out = base::to_bytes(magic);
    append(out, message.size(), word);
    out.insert(out.end(), message.begin(), message.end());
    return out;
}

base::Result<std::uint64_t> packet_size(base::ByteView header) {
    if (base::as_text(header.first(magic.size())) != magic)
        return malformed("no Roughtime packet");
    return packet_header_size + std::uint64_t{load_u32(header.subspan(magic.size()))};
}

}  // namespace mitral::cloud::time
