#include "uplink/message_properties.hpp"

#include <array>
#include <charconv>

#include "azure/text.hpp"
#include "azure/topics.hpp"

namespace mitral::uplink {
namespace {

void append_decimal(std::uint64_t number, std::string& out) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_hexadecimal(std::uint64_t number, std::string& out) {
    std::array<char, 16> digits;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, number >>= 4U)
        *digit = "0123456789abcdef"[number & 15U];
    out.append(digits.data(), digits.size());
}

}  // namespace

MessageProperties::MessageProperties(const FeedName& feed) : lane_(feed.lane) {
    const std::string id = feed.writer + "-" + std::string(spool::to_string(feed.lane)) + "-";
    azure::append_property("$.mid", id, before_stream_);
}

void MessageProperties::learn(const ContentKind& kind) {
    schema_ = kind.schema;
    std::string bag(kind.id_suffix);
    azure::append_property("$.ct", kind.type, bag);
    if (!kind.encoding.empty())
        azure::append_property("$.ce", kind.encoding, bag);
    azure::append_property("schema", kind.schema, bag);
    azure::append_property("lane", spool::to_string(lane_), bag);
    // A bag that begins without a suffix has no '&' before its first property.
    after_id_ = kind.id_suffix.empty() ? "&" + bag : std::move(bag);
}

std::string MessageProperties::bag(spool::RecordId first, const ContentKind& kind,
                                   std::string_view source) {
    if (schema_ != kind.schema)
        learn(kind);
    std::string out;
    out.reserve(before_stream_.size() + after_id_.size() + source.size() + 64);
    out.append(before_stream_);
    append_hexadecimal(first.stream, out);
    out.push_back('-');
    append_decimal(first.sequence, out);
    out.append(after_id_);
    if (!source.empty())
        azure::append_property("source", source, out);
    return out;
}

}  // namespace mitral::uplink
