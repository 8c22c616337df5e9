#include <nlohmann/json.hpp>

#include "azure/text.hpp"
#include "cloud/error.hpp"
#include "cloud/service_command_parts.hpp"

namespace mitral::cloud {
namespace {

using base::Status;
using Json = nlohmann::ordered_json;

std::string root_of(const Given& given) {
    return given.kind == "group" ? "/enrollmentGroups" : "/enrollments";
}

std::string path_of(const Given& given) {
    return root_of(given) + "/" + azure::percent_encode(given.id);
}

base::Result<Json> given_body(const Given& given) {
    auto body = Json::parse(given.body.empty() ? "{}" : given.body, nullptr, false);
    if (!body.is_object())
        return base::fail(CloudError::invalid_argument, "--body is no JSON object");
    return body;
}

// With keys of its own, unless the body says something else.
Status create(const Shared& shared) {
    const auto& given = *shared.given;
    MITRAL_TRY(const auto body, given_body(given));
    Json whole{{given.kind == "group" ? "enrollmentGroupId" : "registrationId", given.id},
               {"attestation", {{"type", "symmetricKey"}}}};
    whole.update(body);
    return call_and_print(
        shared,
        {.method = "PUT", .path = path_of(given), .body = whole.dump(), .provisioning = true});
}

// What the body does not name stays.
Status update(const Shared& shared) {
    const auto& given = *shared.given;
    MITRAL_TRY(const auto body, given_body(given));
    MITRAL_TRY(const auto known,
               call_service(shared.state,
                            {.method = "GET", .path = path_of(given), .provisioning = true}));
    auto whole = Json::parse(known.body, nullptr, false);
    whole.merge_patch(body);
    const auto read = whole.is_object() ? whole.value("etag", std::string("*")) : "*";
    return call_and_print(shared, {.method = "PUT",
                                   .path = path_of(given),
                                   .body = whole.dump(),
                                   .if_match = given.etag.empty() ? read : given.etag,
                                   .provisioning = true});
}

Status list(const Shared& shared, const std::string& path) {
    return print_pages(shared, {.method = "POST",
                                .path = path + "/query",
                                .body = R"({"query":"*"})",
                                .provisioning = true});
}

void take_kind(CLI::App* sub, const Shared& shared) {
    sub->add_option("--kind", shared.given->kind, "group or individual")
        ->check(CLI::IsMember({"group", "individual"}))
        ->capture_default_str();
}

void take_name(CLI::App* sub, const Shared& shared) {
    sub->add_option("--name", shared.given->id, "Group, or registration id")->required();
    take_kind(sub, shared);
}

void add_enrolment(CLI::App& app, const Shared& shared) {
    auto* enrolment = app.add_subcommand("enrolment", "Enrolments of the provisioning service");
    enrolment->require_subcommand(1);
    for (const auto& [name, method, suffix, help] :
         {std::tuple{"get", "GET", "", "Print an enrolment"},
          std::tuple{"delete", "DELETE", "", "Delete an enrolment; devices stay"},
          std::tuple{"attestation", "POST", "/attestationmechanism", "Print its keys"}})
        take_name(command(*enrolment, shared, name, help,
                          [method, suffix](const Shared& s) {
                              return call_and_print(s, {.method = method,
                                                        .path = path_of(*s.given) + suffix,
                                                        .provisioning = true});
                          }),
                  shared);
    auto* make = command(*enrolment, shared, "create", "Create an enrolment", create);
    take_name(make, shared);
    make->add_option("--body", shared.given->body, "JSON; default: symmetric keys, made afresh");
    auto* change = command(*enrolment, shared, "update", "Change an enrolment", update);
    take_name(change, shared);
    change->add_option("--body", shared.given->body, "JSON merge patch")->required();
    change->add_option("--etag", shared.given->etag, "Only if it still has this one");
    take_kind(command(*enrolment, shared, "list", "List the enrolments of a kind",
                      [](const Shared& s) { return list(s, root_of(*s.given)); }),
              shared);
    auto* bulk =
        command(*enrolment, shared, "bulk", "Change up to 10 enrolments", [](const Shared& s) {
            return call_and_print(s, {.method = "POST",
                                      .path = root_of(*s.given),
                                      .body = s.given->body,
                                      .provisioning = true});
        });
    take_kind(bulk, shared);
    bulk->add_option("--body", shared.given->body, R"({"mode":"create","enrollments":[…]})")
        ->required();
}

void add_registration(CLI::App& app, const Shared& shared) {
    auto* registration = app.add_subcommand("registration", "What devices registered with DPS");
    registration->require_subcommand(1);
    for (const auto& [name, method, help] :
         {std::tuple{"get", "GET", "Print a registration"},
          std::tuple{"delete", "DELETE", "Forget a registration; the device stays"}})
        command(*registration, shared, name, help,
                [method](const Shared& s) {
                    return call_and_print(
                        s, {.method = method,
                            .path = "/registrations/" + azure::percent_encode(s.given->id),
                            .provisioning = true});
                })
            ->add_option("--id", shared.given->id, "The registration id")
            ->required();
    command(*registration, shared, "list", "List the registrations of a group",
            [](const Shared& s) {
                return list(s, "/registrations/" + azure::percent_encode(s.given->id));
            })
        ->add_option("--group", shared.given->id, "The enrolment group")
        ->required();
}

}  // namespace

void add_provisioning_commands(CLI::App& app, const Shared& shared) {
    add_enrolment(app, shared);
    add_registration(app, shared);
}

}  // namespace mitral::cloud
