#include "cloud/amqp/management.hpp"

#include "base/log.hpp"
#include "cloud/amqp/requests.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::int32_t ok = 200;

Message refused(std::int32_t status, std::string_view condition, std::string_view why) {
    auto answer = answer_with(status, why);
    answer.properties.emplace_back("error-condition", std::string(condition));
    return answer;
}

Message describe_hub(const EventHub& hub, const std::string& name) {
    std::vector<std::string> ids;
    for (unsigned id = 0; id < EventHub::partitions; ++id)
        ids.push_back(std::to_string(id));
    auto answer = answer_with(ok, "OK");
    answer.body = Map{{"name", name},
                      {"type", std::string("com.microsoft:eventhub")},
                      {"created_at", Timestamp{hub.created().ms}},
                      {"partition_count", static_cast<std::int32_t>(ids.size())},
                      {"partition_ids", ids}};
    return answer;
}

Message describe_partition(const PartitionState& state, const std::string& name,
                           unsigned partition) {
    const auto last = state.empty ? std::int64_t{-1} : static_cast<std::int64_t>(state.last);
    auto answer = answer_with(ok, "OK");
    answer.body =
        Map{{"name", name},
            {"type", std::string("com.microsoft:partition")},
            {"partition", std::to_string(partition)},
            {"begin_sequence_number", static_cast<std::int64_t>(state.begin)},
            {"last_enqueued_sequence_number", last},
            {"last_enqueued_offset", std::to_string(last)},
            {"last_enqueued_time_utc", Timestamp{state.empty ? 0 : state.last_enqueued.ms}},
            {"is_partition_empty", state.empty}};
    return answer;
}

std::optional<Message> read_partition(EventHub& hub, const Message& request,
                                      const std::string& name) {
    const auto partition = parse_partition(text_property(request, "partition"));
    if (!partition)
        return refused(404, "amqp:not-found", "no such partition");
    const auto state = hub.state_of(*partition);
    if (!state) {
        base::log(base::Severity::error, "events-not-read", {{"cause", state.error().message()}});
        return refused(500, "amqp:internal-error", "the message log cannot be read");
    }
    if (!*state)
        return std::nullopt;
    return describe_partition(**state, name, *partition);
}

}  // namespace

std::optional<Message> manage(EventHub& hub, const Message& request) {
    const auto name = text_property(request, "name");
    const auto type = text_property(request, "type");
    if (text_property(request, "operation") != "READ")
        return refused(501, "amqp:not-implemented", "only READ is supported");
    if (!hub.is_name(name))
        return refused(404, "amqp:not-found", "no such event hub");
    if (type == "com.microsoft:eventhub")
        return describe_hub(hub, name);
    if (type == "com.microsoft:partition")
        return read_partition(hub, request, name);
    return refused(501, "amqp:not-implemented", "unknown type");
}

std::optional<unsigned> parse_partition(std::string_view text) {
    if (text.size() != 1 || text[0] < '0' ||
        text[0] >= static_cast<char>('0' + EventHub::partitions))
        return std::nullopt;
    return static_cast<unsigned>(text[0] - '0');
}

}  // namespace mitral::cloud::amqp
