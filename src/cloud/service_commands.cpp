#include "cloud/service_commands.hpp"

#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "cloud/error.hpp"
#include "cloud/service_command_parts.hpp"

namespace mitral::cloud {
namespace {

using base::Status;
using Json = nlohmann::ordered_json;

std::string path_to(const std::string& root, const Given& given) {
    auto path = "/" + root + "/" + azure::percent_encode(given.id);
    return given.module.empty() ? path : path + "/modules/" + azure::percent_encode(given.module);
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
    return print_pages(shared, {.method = "POST",
                                .path = "/devices/query",
                                .body = body.dump(),
                                .page_size = std::to_string(shared.given->page_size)});
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
    auto* update =
        command(*registry, shared, "update", "Replace a device or module", [](const Shared& s) {
            return call_and_print(s, {.method = "PUT",
                                      .path = path_to("devices", *s.given),
                                      .body = s.given->body,
                                      .if_match = s.given->etag_or_any()});
        });
    take_identity(update, shared);
    update->add_option("--body", shared.given->body, "The identity, as show prints it")->required();
    update->add_option("--etag", shared.given->etag, "Only if it still has this one");
    command(*registry, shared, "bulk", "Create, update or delete up to 100 devices",
            [](const Shared& s) {
                return call_and_print(
                    s, {.method = "POST", .path = "/devices", .body = s.given->body});
            })
        ->add_option("--body", shared.given->body, "[{\"id\":…,\"importMode\":\"create\"},…]")
        ->required();
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

}  // namespace

void add_service_commands(CLI::App& app, std::function<Status()>& action, std::string& state) {
    const Shared shared{action, state};
    add_twin(app, shared);
    add_registry(app, shared);
    add_provisioning_commands(app, shared);
    add_job_commands(app, shared);
    add_call_command(app, shared);
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
