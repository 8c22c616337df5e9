#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "cloud/error.hpp"
#include "cloud/service_command_parts.hpp"

namespace mitral::cloud {
namespace {

using base::Status;
using Json = nlohmann::ordered_json;

std::string path_of(const Given& given) {
    return "/jobs/v2/" + azure::percent_encode(given.id);
}

Status schedule(const Shared& shared, const char* type, const char* name, Json work) {
    const auto& given = *shared.given;
    Json body{{"jobId", given.id},
              {"type", type},
              {"queryCondition", given.condition},
              {"maxExecutionTimeInSeconds", given.max_seconds},
              {name, std::move(work)}};
    if (!given.start.empty())
        body["startTime"] = given.start;
    return call_and_print(shared, {.method = "PUT", .path = path_of(given), .body = body.dump()});
}

Status update_twins(const Shared& shared) {
    auto change = Json::parse(shared.given->body, nullptr, false);
    if (!change.is_object())
        return base::fail(CloudError::invalid_argument, "--body is no JSON object");
    return schedule(shared, "scheduleUpdateTwin", "updateTwin", std::move(change));
}

Status call_method(const Shared& shared) {
    const auto& given = *shared.given;
    const auto payload = Json::parse(given.payload, nullptr, false);
    if (payload.is_discarded())
        return base::fail(CloudError::invalid_argument, "--payload is no JSON");
    return schedule(shared, "scheduleDeviceMethod", "cloudToDeviceMethod",
                    {{"methodName", given.text},
                     {"payload", payload},
                     {"responseTimeoutInSeconds", given.timeout_s}});
}

Status list(const Shared& shared) {
    const auto& given = *shared.given;
    return print_pages(shared,
                       {.method = "GET",
                        .path = "/jobs/v2/query?jobType=" + azure::percent_encode(given.type) +
                                "&jobStatus=" + azure::percent_encode(given.status)});
}

void take_schedule(CLI::App* sub, const Shared& shared) {
    sub->add_option("--id", shared.given->id, "The job: letters, digits and dashes")->required();
    sub->add_option("--condition", shared.given->condition,
                    "Which devices: * or what follows WHERE")
        ->required();
    sub->add_option("--start", shared.given->start, "ISO 8601 with a zone; default: now");
    sub->add_option("--max-seconds", shared.given->max_seconds, "How long it may run")
        ->capture_default_str();
}

}  // namespace

void add_job_commands(CLI::App& app, const Shared& shared) {
    auto* job = app.add_subcommand("job", "Scheduled jobs for many devices");
    job->require_subcommand(1);
    auto* twins = command(*job, shared, "twin", "Change the twins of devices", update_twins);
    take_schedule(twins, shared);
    twins->add_option("--body", shared.given->body, "{\"tags\":…,\"properties\":{\"desired\":…}}")
        ->required();
    auto* method =
        command(*job, shared, "method", "Invoke a direct method on devices", call_method);
    take_schedule(method, shared);
    method->add_option("--name", shared.given->text, "The method")->required();
    method->add_option("--payload", shared.given->payload, "JSON")->capture_default_str();
    method->add_option("--timeout", shared.given->timeout_s, "Seconds for each answer, 5 to 300")
        ->capture_default_str();
    for (const auto& [name, verb, suffix, help] :
         {std::tuple{"get", "GET", "", "Print a job"},
          std::tuple{"cancel", "POST", "/cancel", "Cancel a job that is not over"}})
        command(*job, shared, name, help,
                [verb, suffix](const Shared& s) {
                    return call_and_print(s, {.method = verb, .path = path_of(*s.given) + suffix});
                })
            ->add_option("--id", shared.given->id, "The job")
            ->required();
    auto* listed = command(*job, shared, "list", "List the jobs", list);
    listed->add_option("--type", shared.given->type, "scheduleUpdateTwin or scheduleDeviceMethod");
    listed->add_option("--status", shared.given->status, "scheduled, running, completed …");
}

// Whatever has no command of its own.
void add_call_command(CLI::App& app, const Shared& shared) {
    auto* call = command(app, shared, "call", "Any call of the service API", [](const Shared& s) {
        const auto& path = s.given->id;
        return call_and_print(s, {.method = s.given->text,
                                  .path = path,
                                  .body = s.given->body,
                                  .if_match = s.given->etag,
                                  .provisioning = path.starts_with("/enrollment") ||
                                                  path.starts_with("/registrations")});
    });
    call->add_option("method", shared.given->text, "GET, PUT, POST, PATCH or DELETE")
        ->required()
        ->check(CLI::IsMember({"GET", "PUT", "POST", "PATCH", "DELETE"}));
    call->add_option("path", shared.given->id, "With its query, encoded")->required();
    call->add_option("--body", shared.given->body, "JSON");
    call->add_option("--etag", shared.given->etag, "For If-Match");
}

}  // namespace mitral::cloud
