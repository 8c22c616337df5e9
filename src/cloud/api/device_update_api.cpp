#include "cloud/api/device_update_api.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "azure/text.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/api/update_import_body.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using adu::DeviceUpdate;
using adu::StoredUpdate;
using adu::UpdateId;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view update_path =
    "/updates/providers/{provider}/names/{name}/versions/{version}";

Json operation_json(const adu::Operation& operation) {
    Json json{{"operationId", operation.id},
              {"status", operation.status},
              {"createdDateTime", base::to_iso8601(operation.created)},
              {"lastActionDateTime", base::to_iso8601(operation.updated)}};
    if (!operation.update.provider.empty())
        json["update"] = update_info_json(operation.update, {}, {});
    if (operation.status == "Succeeded")
        json["resourceLocation"] = "/deviceUpdate/default/updates/providers/" +
                                   operation.update.provider + "/names/" + operation.update.name +
                                   "/versions/" + operation.update.version;
    if (!operation.error_code.empty())
        json["error"] = {{"code", operation.error_code}, {"message", operation.error_message}};
    return json;
}

// The body is more than Azure sends; its clients look at the header.
Response accepted(const adu::Operation& operation) {
    auto response = json_response(202, operation_json(operation));
    response.headers.emplace_back(
        "Operation-Location",
        "/deviceUpdate/default/updates/operations/" + operation.id + "?api-version=2022-10-01");
    return response;
}

Response import(DeviceUpdate& service, const Request& request) {
    const auto body = parse_json(request.body);
    if (!body)
        return update_refusal(body.error());
    if (!body->is_array())
        return update_refusal(400, "BadRequest", "the body is no list of updates");
    std::vector<adu::ImportItem> items;
    for (const auto& value : *body) {
        auto item = read_import_item(value);
        if (!item)
            return update_refusal(item.error());
        items.push_back(*std::move(item));
    }
    const auto operation = service.imports.start(std::move(items));
    return operation ? accepted(*operation) : update_refusal(operation.error());
}

Json step_json(const adu::Step& step) {
    Json json{{"type", step.handler.empty() ? "reference" : "inline"}};
    if (!step.description.empty())
        json["description"] = step.description;
    if (step.handler.empty()) {
        json["updateId"] = id_json(step.reference);
        return json;
    }
    json["handler"] = step.handler;
    json["files"] = step.files;
    if (!step.handler_properties.empty())
        json["handlerProperties"] = Json::parse(step.handler_properties);
    return json;
}

base::Result<Json> update_json(const DeviceUpdate& service, const StoredUpdate& update) {
    const auto& manifest = update.manifest;
    auto json = update_info_json(manifest.id, manifest.description, update.friendly_name);
    json["isDeployable"] = manifest.deployable;
    json["compatibility"] = manifest.compatibility;
    json["manifestVersion"] = manifest.schema_version;
    json["createdDateTime"] = manifest.created;
    json["importedDateTime"] = base::to_iso8601(update.imported);
    json["etag"] = '"' + update.etag + '"';
    json["instructions"]["steps"] = Json::array();
    for (const auto& step : manifest.steps)
        json["instructions"]["steps"].push_back(step_json(step));
    MITRAL_TRY(const auto parents, service.updates.referencing(manifest.id));
    for (const auto& parent : parents)
        json["referencedBy"].push_back(id_json(parent));
    return json;
}

Response with_etag(const Request& request, const Json& json, const std::string& etag) {
    if (unquoted(request.header("if-none-match")) == etag) {
        Response response;
        response.status = 304;
        return response;
    }
    auto response = json_response(200, json);
    response.headers.emplace_back("ETag", '"' + etag + '"');
    return response;
}

UpdateId id_at(const Captures& at) {
    return {at[0], at[1], at[2]};
}

Response get_update(const DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto update = service.updates.find(id_at(at));
    if (!update)
        return update_refusal(update.error());
    const auto json = update_json(service, *update);
    return json ? with_etag(request, *json, update->etag) : update_refusal(json.error());
}

Response list_updates(const DeviceUpdate& service, const Request& request) {
    const auto ids = service.updates.list();
    if (!ids)
        return update_refusal(ids.error());
    const auto filter = read_filter(request, {"isDeployable"});
    if (!filter)
        return update_refusal(filter.error());
    const auto search = request.parameter("search");
    std::vector<Json> items;
    for (const auto& id : *ids) {
        const auto update = service.updates.find(id);
        if (!update)
            return update_refusal(update.error());
        const auto deployable = update->manifest.deployable ? "true" : "false";
        if (filter->contains("isDeployable") && filter->at("isDeployable") != deployable)
            continue;
        if ((id.text() + " " + update->manifest.description + " " + update->friendly_name)
                .find(search) == std::string::npos)
            continue;
        auto json = update_json(service, *update);
        if (!json)
            return update_refusal(json.error());
        items.push_back(*std::move(json));
    }
    return update_page(request, std::move(items));
}

// Providers, their names, or the versions of a name: whatever `at` does not say
// yet.
Response list_parts(const DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto ids = service.updates.list();
    if (!ids)
        return update_refusal(ids.error());
    std::vector<std::string> found;
    for (const auto& id : *ids) {
        if ((at.empty() || id.provider == at[0]) && (at.size() < 2 || id.name == at[1]))
            found.push_back(at.empty() ? id.provider : at.size() == 1 ? id.name : id.version);
    }
    if (found.empty() && !at.empty())
        return update_refusal(404, "NotFound", "no such provider or name");
    if (at.size() == 2)
        std::sort(found.begin(), found.end(), adu::is_older);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return update_page(request, {found.begin(), found.end()});
}

Json file_json(const adu::StoredFile& file) {
    return {{"fileId", file.id},
            {"fileName", file.name},
            {"sizeInBytes", file.size},
            {"hashes", {{"sha256", file.sha256}}}};
}

Response list_files(const DeviceUpdate& service, const Request& request, const Captures& at) {
    if (const auto update = service.updates.find(id_at(at)); !update)
        return update_refusal(update.error());
    const auto files = service.updates.files(id_at(at));
    if (!files)
        return update_refusal(files.error());
    std::vector<Json> ids;
    for (const auto& file : *files)
        if (file.payload)
            ids.emplace_back(file.id);
    return update_page(request, std::move(ids));
}

Response get_file(const DeviceUpdate& service, const Request& request, const Captures& at) {
    const auto files = service.updates.files(id_at(at));
    if (!files)
        return update_refusal(files.error());
    for (const auto& file : *files)
        if (file.id == at[3])
            return with_etag(request, file_json(file), file.sha256);
    return update_refusal(404, "NotFound", "no such file");
}

Response get_operation(const DeviceUpdate& service, const Captures& at) {
    const auto operation = service.operations.find(at[0]);
    if (!operation)
        return update_refusal(operation.error());
    if (!*operation)
        return update_refusal(404, "NotFound", "no such operation");
    return json_response(200, operation_json(**operation));
}

Response list_operations(const DeviceUpdate& service, const Request& request) {
    const auto operations = service.operations.list();
    if (!operations)
        return update_refusal(operations.error());
    const auto unfinished = request.parameter("filter");
    std::vector<Json> items;
    for (const auto& operation : *operations)
        if (unfinished.empty() || operation.status == "NotStarted" || operation.status == "Running")
            items.push_back(operation_json(operation));
    return update_page(request, std::move(items));
}

Response delete_update(DeviceUpdate& service, const Captures& at) {
    const auto id = id_at(at);
    const auto in_use = service.deployments.uses(id);
    if (!in_use)
        return update_refusal(in_use.error());
    if (*in_use)
        return update_refusal(409, "Conflict", "an active deployment uses this update");
    if (const auto removed = service.updates.remove(id); !removed)
        return update_refusal(removed.error());
    auto operation = service.operations.begin();
    if (!operation)
        return update_refusal(operation.error());
    operation->status = "Succeeded";
    operation->update = id;
    if (const auto saved = service.operations.save(*operation); !saved)
        return update_refusal(saved.error());
    return accepted(*operation);
}

Response put_incoming(DeviceUpdate& service, const Request& request, const Captures& at) {
    if (service.imports.running())
        return update_refusal(409, "Conflict", "an import is running");
    const auto wanted = request.parameter("offset");
    std::int64_t offset = 0;
    const auto* end = wanted.data() + wanted.size();
    const auto [stop, error] = std::from_chars(wanted.data(), end, offset);
    if (!wanted.empty() && (error != std::errc() || stop != end))
        return update_refusal(400, "BadRequest", "offset is no number");
    const auto size = service.incoming.put(at[0], offset, base::as_bytes(request.body));
    return size ? json_response(200, {{"size", *size}}) : update_refusal(size.error());
}

}  // namespace

void DeviceUpdateApi::mount(http::Router& router, const CallGuard& guard) const {
    const auto add = [&](Method method, std::string_view path, auto action) {
        add_update_call(router, guard, method, path,
                        [&at = service, action](const Request& request, const Captures& captures) {
                            return action(at, request, captures);
                        });
    };
    const std::string update(update_path);
    add(Method::put, "/incoming/{name}", put_incoming);
    add(Method::post, "/updates:import",
        [](auto& at, const auto& request, const auto&) { return import(at, request); });
    add(Method::get, "/updates",
        [](auto& at, const auto& request, const auto&) { return list_updates(at, request); });
    add(Method::get, "/updates/operations",
        [](auto& at, const auto& request, const auto&) { return list_operations(at, request); });
    add(Method::get, "/updates/operations/{operation}",
        [](auto& at, const auto&, const auto& captures) { return get_operation(at, captures); });
    add(Method::get, "/updates/providers", list_parts);
    add(Method::get, "/updates/providers/{provider}/names", list_parts);
    add(Method::get, "/updates/providers/{provider}/names/{name}/versions", list_parts);
    add(Method::get, update, get_update);
    add(Method::remove, update,
        [](auto& at, const auto&, const auto& captures) { return delete_update(at, captures); });
    add(Method::get, update + "/files", list_files);
    add(Method::get, update + "/files/{file}", get_file);
}

}  // namespace mitral::cloud::api
