#include "mitral/verify_log.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/encoding.hpp"

namespace mitral::cli {
namespace {

using nlohmann::json;

constexpr std::string_view evidence_schema = "mitral.checkpoint/1";

std::string text_of(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& member(const json& object, const char* name) {
    static const json none;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found == object.end() ? none : *found;
}

LogMessage message_of(const json& line) {
    const auto at = base::from_iso8601(text_of(line, "enqueued"));
    return {.at_s = at ? at->unix_seconds() : 0,
            .id = text_of(line, "mid"),
            .evidence = text_of(member(line, "properties"), "schema") == evidence_schema,
            .body = base::from_base64(text_of(line, "body")).value_or(base::Bytes{})};
}

verify::LaneList list_of(const json& lane) {
    verify::LaneList list{.lane = text_of(lane, "lane"), .lines = {}};
    const json& unlisted = member(lane, "unlisted");
    if (unlisted.is_number_unsigned())
        list.unlisted = unlisted.get<std::uint64_t>();
    for (const json& line : member(lane, "messages"))
        list.lines.push_back(line.is_string() ? line.get<std::string>() : std::string());
    return list;
}

}  // namespace

std::vector<LogMessage> read_log(std::string_view text, std::string_view device) {
    std::vector<LogMessage> messages;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto parsed = json::parse(line, nullptr, false);
        if (!line.empty() && (!parsed.is_object() || text_of(parsed, "device") == device))
            messages.push_back(message_of(parsed));
    }
    return messages;
}

EvidenceMessage read_evidence(base::ByteView body) {
    const auto parsed = json::parse(base::as_text(body), nullptr, false);
    EvidenceMessage message;
    message.checkpoint = base::from_base64(text_of(parsed, "checkpoint")).value_or(base::Bytes{});
    for (const json& lane : member(parsed, "lanes"))
        message.lists.push_back(list_of(lane));
    return message;
}

}  // namespace mitral::cli
