#include "cloud/api/bulk_api.hpp"

#include "azure/text.hpp"
#include "cloud/api/device_body.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Request;
using http::Response;

std::string etag_of(const Json& entry, std::string_view mode) {
    return mode.ends_with("ifmatchetag")
               ? unquoted(text_member(entry, "eTag", text_member(entry, "etag")))
               : std::string("*");
}

base::Status remove(BulkApi& api, const std::string& id, std::string_view etag) {
    MITRAL_CHECK(api.registry.remove(id, etag));
    (void)api.service.disconnect(id, "device was deleted");
    return {};
}

base::Status write(BulkApi& api, hub::Device device, bool exists, std::string_view etag) {
    const auto id = device.id;
    const bool enabled = device.enabled;
    const auto stored = exists ? api.registry.update(std::move(device), etag)
                               : api.registry.create(std::move(device));
    if (!stored)
        return std::unexpected(stored.error());
    if (!enabled)
        (void)api.service.disconnect(id, "device was disabled");
    return {};
}

base::Status apply(BulkApi& api, const Json& entry, const std::string& id) {
    if (member(entry, "moduleId") != nullptr)
        return base::fail(CloudError::not_supported, "Modules in bulk");
    // .NET and the REST reference differ in case, Node in spelling of the first letter.
    const auto mode = azure::to_lower(text_member(entry, "importMode", "createOrUpdate"));
    const auto etag = etag_of(entry, mode);
    if (mode == "delete" || mode == "deleteifmatchetag")
        return remove(api, id, etag);
    MITRAL_TRY(auto device, read_device(entry, id));
    MITRAL_TRY(const auto known, api.registry.find(id));
    if (mode == "create")
        return write(api, std::move(device), false, etag);
    if (mode == "update" || mode == "updateifmatchetag")
        return write(api, std::move(device), true, etag);
    if (mode == "createorupdate" || mode == "createorupdateifmatchetag")
        return write(api, std::move(device), known.has_value(), etag);
    return base::fail(CloudError::invalid_argument, "importMode " + azure::shown(mode));
}

std::string_view name_of(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return "DeviceNotFound";
    if (error.code == CloudError::already_exists)
        return "DeviceAlreadyExists";
    if (error.code == CloudError::stale_etag)
        return "PreconditionFailed";
    if (error.code == CloudError::not_supported)
        return "NotImplemented";
    return error.code == CloudError::storage ? "ServerError" : "ArgumentInvalid";
}

Response bulk(BulkApi& api, const Request& request) {
    const auto entries = parse_json(request.body);
    if (!entries || !entries->is_array() || entries->empty() ||
        entries->size() > BulkApi::max_entries)
        return service_refusal(400, "ArgumentInvalid", "an array of 1 to 100 devices is expected");
    auto errors = Json::array();
    for (const auto& entry : *entries) {
        const auto id = text_member(entry, "id", text_member(entry, "deviceId"));
        const auto done = apply(api, entry, id);
        if (done)
            continue;
        errors.push_back({{"deviceId", id},
                          {"errorCode", name_of(done.error())},
                          {"errorStatus", done.error().context}});
    }
    const bool successful = errors.empty();
    return json_response(
        successful ? 200 : 400,
        {{"isSuccessful", successful}, {"errors", std::move(errors)}, {"warnings", Json::array()}});
}

}  // namespace

void BulkApi::mount(http::Router& router) {
    router.add(http::Method::post, "/devices",
               guarded(authenticator, hub::registry_write,
                       [self = *this](const Request& request, const Captures&) mutable {
                           return bulk(self, request);
                       }));
}

}  // namespace mitral::cloud::api
