#include "cloud/amqp/event_line.hpp"

#include <charconv>

#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::amqp {
namespace {

bool skip(std::string_view& text, std::string_view expected) {
    if (!text.starts_with(expected))
        return false;
    text.remove_prefix(expected.size());
    return true;
}

std::optional<std::string_view> take_string(std::string_view& text) {
    const auto end = text.find('"');
    if (end == std::string_view::npos)
        return std::nullopt;
    const auto taken = text.substr(0, end);
    text.remove_prefix(end + 1);
    return taken;
}

void apply_system(Message& event, const std::string& name, const std::string& value) {
    if (name == "$.mid")
        event.id = value;
    else if (name == "$.cid")
        event.correlation_id = value;
    else if (name == "$.uid")
        event.user_id = value;
    else if (name == "$.ct")
        event.content_type = value;
    else if (name == "$.ce")
        event.content_encoding = value;
    else if (name == "$.sub")
        event.annotations.emplace_back("dt-subject", value);
    else if (name == "$.ifid")
        event.annotations.emplace_back("iothub-interface-id", value);
    else if (name == "$.ctime")
        event.properties.emplace_back("iothub-creation-time-utc", value);
    else if (!name.starts_with("$."))
        event.annotations.emplace_back(name, value);
}

}  // namespace

std::optional<EventHead> read_head(std::string_view line) {
    EventHead head;
    if (!skip(line, R"({"offset":)"))
        return std::nullopt;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), head.offset);
    if (error != std::errc())
        return std::nullopt;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    if (!skip(line, R"(,"enqueued":")"))
        return std::nullopt;
    const auto enqueued = take_string(line);
    const auto time = enqueued ? base::from_iso8601(*enqueued) : std::nullopt;
    if (!time || !skip(line, R"(,"device":")"))
        return std::nullopt;
    head.enqueued = *time;
    const auto device = take_string(line);  // ids hold no quotes
    if (!device)
        return std::nullopt;
    head.device = *device;
    return head;
}

unsigned partition_of(std::string_view device, unsigned partitions) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : device) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    return static_cast<unsigned>((hash >> 32) % partitions);
}

base::Result<Message> to_event(std::string_view line) {
    const auto head = read_head(line);
    MITRAL_TRY(const auto json, parse_json(line));
    const auto body = base::from_base64(text_member(json, "body"));
    if (!head || !body)
        return base::fail(CloudError::storage, "a line of the message log is damaged");
    Message event;
    const auto offset = static_cast<std::int64_t>(head->offset);
    event.annotations = {{"x-opt-sequence-number", offset},
                         {"x-opt-offset", std::to_string(offset)},
                         {"x-opt-enqueued-time", Timestamp{head->enqueued.ms}},
                         {"iothub-enqueuedtime", Timestamp{head->enqueued.ms}}};
    if (const auto* system = member(json, "system"))
        for (const auto& [name, value] : system->items())
            apply_system(event, name, value.is_string() ? value.get<std::string>() : "");
    if (const auto* properties = member(json, "properties"))
        for (const auto& [name, value] : properties->items())
            event.properties.emplace_back(
                name, value.is_string() ? Value(value.get<std::string>()) : Value());
    event.body = Binary{std::string(base::as_text(*body))};
    return event;
}

}  // namespace mitral::cloud::amqp
