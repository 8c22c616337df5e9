#include "cloud/jobs/job.hpp"

#include <algorithm>
#include <array>

#include "azure/text.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/method_body.hpp"
#include "cloud/json.hpp"
#include "cloud/query/query.hpp"

namespace mitral::cloud::jobs {
namespace {

constexpr std::array<std::string_view, 2> type_texts{"scheduleUpdateTwin", "scheduleDeviceMethod"};
constexpr std::array<std::string_view, 6> status_texts{"scheduled", "queued", "running",
                                                       "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, 4> target_texts{"pending", "running", "succeeded", "failed"};

std::unexpected<base::Error> refused(std::string text) {
    return base::fail(CloudError::invalid_argument, std::move(text));
}

base::Status check_id(std::string_view id) {
    const auto fits = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-';
    };
    if (id.empty() || id.size() > max_job_id || !std::all_of(id.begin(), id.end(), fits))
        return refused("a job id is 1 to 64 letters, digits and dashes");
    return {};
}

base::Result<base::WallTime> start_of(const Json& body, base::WallTime now) {
    const auto* given = member(body, "startTime");
    if (given == nullptr || given->is_null() || *given == "")
        return now;
    const auto time = given->is_string() ? base::from_iso8601(given->get<std::string>())
                                         : std::optional<base::WallTime>();
    if (!time)
        return refused("startTime is a time of ISO 8601 with its zone");
    return std::max(*time, now);
}

base::Result<base::Seconds> limit_of(const Json& body) {
    const auto* given = member(body, "maxExecutionTimeInSeconds");
    if (given == nullptr || given->is_null())
        return Job().max_time;
    if (!given->is_number_integer() || given->get<std::int64_t>() < 1 ||
        given->get<std::int64_t>() > longest_job.count())
        return refused("maxExecutionTimeInSeconds is 1 to 604800");
    return base::Seconds(given->get<std::int64_t>());
}

base::Status check_condition(std::string_view condition) {
    MITRAL_TRY(const auto query, query::parse(query_of(condition)));
    if (query.aggregates() || query.top)
        return refused("queryCondition counts or cuts");
    return {};
}

base::Result<std::optional<std::string>> object_of(const Json& holder, std::string_view name) {
    const auto* value = member(holder, name);
    if (value == nullptr || value->is_null())
        return std::nullopt;
    if (!value->is_object())
        return refused(std::string(name) + " is no object");
    return dump(*value);
}

base::Status check_work(const Job& job) {
    if (job.type == JobType::device_method) {
        MITRAL_TRY(const auto call, call_of(job, "any"));
        (void)call;
        return {};
    }
    MITRAL_TRY(const auto change, change_of(job));
    if (!change.tags && !change.desired)
        return refused("updateTwin has neither tags nor desired properties");
    return hub::check_change(change);
}

}  // namespace

std::string_view to_text(JobType type) noexcept {
    return type_texts[static_cast<std::size_t>(type)];
}
std::string_view to_text(JobStatus status) noexcept {
    return status_texts[static_cast<std::size_t>(status)];
}
std::string_view to_text(TargetStatus status) noexcept {
    return target_texts[static_cast<std::size_t>(status)];
}
JobType type_from(std::string_view text) noexcept {
    return text == type_texts[1] ? JobType::device_method : JobType::update_twin;
}
JobStatus status_from(std::string_view text) noexcept {
    const auto at = std::find(status_texts.begin(), status_texts.end(), text);
    return at == status_texts.end() ? JobStatus::failed
                                    : static_cast<JobStatus>(at - status_texts.begin());
}

base::Result<Job> read_job(std::string_view id, std::string_view body, base::WallTime now) {
    MITRAL_CHECK(check_id(id));
    MITRAL_TRY(const auto given, parse_json(body));
    if (!given.is_object())
        return refused("body is no JSON object");
    if (const auto named = text_member(given, "jobId", id); named != id)
        return refused("body names another job");
    const auto type = text_member(given, "type");
    if (type != type_texts[0] && type != type_texts[1])
        return refused("type is scheduleUpdateTwin or scheduleDeviceMethod");
    Job job{.id = std::string(id),
            .type = type_from(type),
            .condition = text_member(given, "queryCondition"),
            .created = now};
    MITRAL_CHECK(check_condition(job.condition));
    MITRAL_TRY(job.starts, start_of(given, now));
    MITRAL_TRY(job.max_time, limit_of(given));
    MITRAL_TRY(
        auto work,
        object_of(given, job.type == JobType::update_twin ? "updateTwin" : "cloudToDeviceMethod"));
    if (!work)
        return refused("updateTwin or cloudToDeviceMethod is missing");
    job.body = *std::move(work);
    MITRAL_CHECK(check_work(job));
    return job;
}

std::string query_of(std::string_view condition) {
    const auto begin = condition.find_first_not_of(" \t\r\n");
    condition = begin == std::string_view::npos ? std::string_view() : condition.substr(begin);
    condition = condition.substr(0, condition.find_last_not_of(" \t\r\n") + 1);
    const auto head = azure::to_lower(condition.substr(0, 7));
    if (condition == "*")
        return "SELECT * FROM devices";
    if (head.starts_with("select "))
        return std::string(condition);
    if (head.starts_with("from "))
        return "SELECT * " + std::string(condition);
    return "SELECT * FROM devices WHERE " + std::string(condition);
}

base::Result<hub::TwinChange> change_of(const Job& job) {
    MITRAL_TRY(const auto body, parse_json(job.body));
    hub::TwinChange change;
    MITRAL_TRY(change.tags, object_of(body, "tags"));
    MITRAL_TRY(const auto properties, object_of(body, "properties"));
    if (properties) {
        MITRAL_TRY(change.desired, object_of(body["properties"], "desired"));
    }
    return change;
}

std::string etag_of(const Job& job) {
    const auto body = parse_json(job.body);
    const auto etag = body ? text_member(*body, "etag", "*") : std::string("*");
    return etag.empty() ? "*" : etag;
}

base::Result<hub::MethodCall> call_of(const Job& job, std::string client_id) {
    MITRAL_TRY(const auto body, parse_json(job.body));
    return hub::read_method_call(body, std::move(client_id));
}

}  // namespace mitral::cloud::jobs
