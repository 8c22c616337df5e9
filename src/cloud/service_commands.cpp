#include "cloud/service_commands.hpp"

#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "cloud/service_client.hpp"
#include "cloud/state.hpp"

namespace mitral::cloud {
namespace {

using base::Status;
using Json = nlohmann::ordered_json;

// What was given, for whichever command it is.
struct Given {
    std::string id, module, body, etag, text, payload = "null", kind = "group";
    int timeout_s = 30;
    int page_size = 100;
};

// All commands of one run: options, state directory, and what is to be done in the end.
struct Shared {
    std::function<Status()>& action;
    std::string& state;
    std::shared_ptr<Given> given = std::make_shared<Given>();
};

Status print(const std::string& text) {
    if (text.empty())
        return {};
    return base::write_all(STDOUT_FILENO, base::as_bytes(text + "\n"));
}

Status call_and_print(const Shared& shared, const ServiceCall& call) {
    MITRAL_TRY(const auto answer, call_service(shared.state, call));
    return print(answer.body);
}

std::string path_to(const std::string& root, const Given& given) {
    auto path = "/" + root + "/" + azure::percent_encode(given.id);
    return given.module.empty() ? path : path + "/modules/" + azure::percent_encode(given.module);
}

// A list as one object a line.
Status print_rows(const std::string& array) {
    const auto rows = Json::parse(array, nullptr, false);
    if (!rows.is_array())
        return print(array);
    for (const auto& row : rows)
        MITRAL_CHECK(print(row.dump()));
    return {};
}

CLI::App* command(CLI::App& parent, Shared shared, const char* name, const char* help,
                  std::function<Status(const Shared&)> run) {
    auto* sub = parent.add_subcommand(name, help);
    sub->add_option("--state", shared.state, "State directory")->capture_default_str();
    sub->callback(
        [shared, run = std::move(run)] { shared.action = [shared, run] { return run(shared); }; });
    return sub;
}

void take_identity(CLI::App* sub, const Shared& shared) {
    sub->add_option("--id", shared.given->id, "The device")->required();
    sub->add_option("--module", shared.given->module, "Its module");
}

void add_twin(CLI::App& app, const Shared& shared) {
    auto* twin = app.add_subcommand("twin", "Twins of devices and modules");
    twin->require_subcommand(1);
    take_identity(command(*twin, shared, "get", "Print a twin",
                          [](const Shared& s) {
                              return call_and_print(
                                  s, {.method = "GET", .path = path_to("twins", *s.given)});
                          }),
                  shared);
    for (const auto& [name, method, help] :
         {std::tuple{"patch", "PATCH", "Change tags and desired properties; null removes"},
          std::tuple{"replace", "PUT", "Replace tags and desired properties"}}) {
        auto* sub = command(*twin, shared, name, help, [method](const Shared& s) {
            return call_and_print(s, {.method = method,
                                      .path = path_to("twins", *s.given),
                                      .body = s.given->body,
                                      .if_match = s.given->etag});
        });
        take_identity(sub, shared);
        sub->add_option("--body", shared.given->body, "{\"tags\":…,\"properties\":{\"desired\":…}}")
            ->required();
        sub->add_option("--etag", shared.given->etag, "Only if the twin still has this one");
    }
}

Status invoke(const Shared& shared) {
    const auto& given = *shared.given;
    const auto payload = Json::parse(given.payload, nullptr, false);
    if (payload.is_discarded())
        return base::fail(CloudError::invalid_argument, "--payload is no JSON");
    const Json body{{"methodName", given.text},
                    {"payload", payload},
                    {"responseTimeoutInSeconds", given.timeout_s}};
    return call_and_print(shared, {.method = "POST",
                                   .path = path_to("twins", given) + "/methods",
                                   .body = body.dump(),
                                   .patience = base::Seconds(given.timeout_s + 10)});
}

Status query(const Shared& shared) {
    const Json body{{"query", shared.given->text}};
    ServiceCall call{.method = "POST",
                     .path = "/devices/query",
                     .body = body.dump(),
                     .page_size = std::to_string(shared.given->page_size)};
    do {
        MITRAL_TRY(const auto answer, call_service(shared.state, call));
        MITRAL_CHECK(print_rows(answer.body));
        call.continuation = answer.continuation;
    } while (!call.continuation.empty());
    return {};
}

Status statistics(const Shared& shared) {
    MITRAL_CHECK(call_and_print(shared, {.method = "GET", .path = "/statistics/devices"}));
    return call_and_print(shared, {.method = "GET", .path = "/statistics/service"});
}

void add_registry(CLI::App& app, const Shared& shared) {
    auto* registry = app.add_subcommand("registry", "Devices and modules of the registry");
    registry->require_subcommand(1);
    take_identity(command(*registry, shared, "create", "Create a device or module, with new keys",
                          [](const Shared& s) {
                              Json body{{"deviceId", s.given->id}};
                              if (!s.given->module.empty())
                                  body["moduleId"] = s.given->module;
                              return call_and_print(s, {.method = "PUT",
                                                        .path = path_to("devices", *s.given),
                                                        .body = body.dump()});
                          }),
                  shared);
    take_identity(command(*registry, shared, "show", "Print a device or module with its keys",
                          [](const Shared& s) {
                              return call_and_print(
                                  s, {.method = "GET", .path = path_to("devices", *s.given)});
                          }),
                  shared);
    take_identity(command(*registry, shared, "delete", "Delete a device or module",
                          [](const Shared& s) {
                              return call_and_print(s, {.method = "DELETE",
                                                        .path = path_to("devices", *s.given),
                                                        .if_match = "*"});
                          }),
                  shared);
    auto* list = command(
        *registry, shared, "list", "List devices, or the modules of one",
        [](const Shared& s) -> Status {
            const auto path =
                s.given->id.empty() ? "/devices" : path_to("devices", *s.given) + "/modules";
            MITRAL_TRY(const auto answer, call_service(s.state, {.method = "GET", .path = path}));
            return print_rows(answer.body);
        });
    list->add_option("--id", shared.given->id, "The device whose modules are listed");
}

std::string enrolment_path(const Given& given) {
    const auto* root = given.kind == "group" ? "/enrollmentGroups/" : "/enrollments/";
    return root + azure::percent_encode(given.id);
}

Status list_groups(const Shared& shared) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(shared.state, clock));
    MITRAL_TRY(const auto groups, state->enrollments.groups());
    for (const auto& group : groups)
        MITRAL_CHECK(print(Json{
            {"enrollmentGroupId", group.id},
            {"provisioningStatus", group.enabled ? "enabled" : "disabled"},
            {"etag",
             group.etag}}.dump()));
    return {};
}

void add_enrolment(CLI::App& app, const Shared& shared) {
    auto* enrolment = app.add_subcommand("enrolment", "Enrolments of the provisioning service");
    enrolment->require_subcommand(1);
    for (const auto& [name, method, help] :
         {std::tuple{"get", "GET", "Print an enrolment"},
          std::tuple{"delete", "DELETE", "Delete an enrolment; devices stay"}}) {
        auto* sub = command(*enrolment, shared, name, help, [method](const Shared& s) {
            return call_and_print(
                s, {.method = method, .path = enrolment_path(*s.given), .provisioning = true});
        });
        sub->add_option("--name", shared.given->id, "Group, or registration id")->required();
        sub->add_option("--kind", shared.given->kind, "group or individual")
            ->check(CLI::IsMember({"group", "individual"}))
            ->capture_default_str();
    }
    command(*enrolment, shared, "list", "List the enrolment groups", list_groups);
}

}  // namespace

void add_service_commands(CLI::App& app, std::function<Status()>& action, std::string& state) {
    const Shared shared{action, state};
    add_twin(app, shared);
    add_registry(app, shared);
    add_enrolment(app, shared);
    auto* method = command(app, shared, "method", "Invoke a direct method", invoke);
    take_identity(method, shared);
    method->add_option("--name", shared.given->text, "The method")->required();
    method->add_option("--payload", shared.given->payload, "JSON")->capture_default_str();
    method->add_option("--timeout", shared.given->timeout_s, "Seconds for its answer, 5 to 300")
        ->capture_default_str();
    auto* asked = command(app, shared, "query", "Print the rows of a query, one a line", query);
    asked->add_option("query", shared.given->text, "SELECT … FROM devices …")->required();
    asked->add_option("--page-size", shared.given->page_size, "Rows asked for at a time")
        ->capture_default_str();
    command(app, shared, "statistics", "Print how many devices there are, and are connected",
            statistics);
    auto* purge = command(
        app, shared, "purge", "Purge the messages that wait for a device", [](const Shared& s) {
            return call_and_print(
                s, {.method = "DELETE", .path = path_to("devices", *s.given) + "/commands"});
        });
    purge->add_option("--id", shared.given->id, "The device")->required();
}

}  // namespace mitral::cloud
