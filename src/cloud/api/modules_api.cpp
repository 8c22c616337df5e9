#include "cloud/api/modules_api.hpp"

#include "cloud/api/authentication_body.hpp"
#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

Response refused(const base::Error& error) {
    if (error.code == CloudError::not_found && error.context.starts_with("module "))
        return service_refusal(404, "ModuleNotFound", error.context);
    if (error.code == CloudError::already_exists)
        return service_refusal(409, "ModuleAlreadyExistsOnDevice", error.context);
    if (error.code == CloudError::throttled)
        return service_refusal(403, "TooManyModulesOnDevice", error.context);
    return refusal_of(error);
}

Json to_json(const hub::Module& module, bool connected) {
    const auto never = "0001-01-01T00:00:00Z";
    return {{"moduleId", module.id},
            {"managedBy", module.managed_by.empty() ? Json(nullptr) : Json(module.managed_by)},
            {"deviceId", module.device},
            {"generationId", module.generation},
            {"etag", module.etag},
            {"connectionState", connected ? "Connected" : "Disconnected"},
            {"connectionStateUpdatedTime", never},
            {"lastActivityTime", never},
            {"cloudToDeviceMessageCount", 0},
            {"authentication", authentication_json(module.authentication)}};
}

Response shown(const ModulesApi& api, const base::Result<hub::Module>& module) {
    if (!module)
        return refused(module.error());
    return json_response(
        200, to_json(*module, api.service.is_connected(module->device + "/" + module->id)));
}

base::Result<hub::Module> read_module(const Request& request, const Captures& at) {
    MITRAL_TRY(const auto body, parse_json(request.body));
    if (!body.is_object() || text_member(body, "moduleId", at[1]) != at[1] ||
        text_member(body, "deviceId", at[0]) != at[0])
        return base::fail(CloudError::invalid_argument, "the body names another module");
    MITRAL_TRY(auto authentication, read_authentication(body));
    return hub::Module{.device = at[0],
                       .id = at[1],
                       .managed_by = text_member(body, "managedBy"),
                       .authentication = std::move(authentication)};
}

Response put(ModulesApi& api, const Request& request, const Captures& at) {
    auto module = read_module(request, at);
    if (!module)
        return refused(module.error());
    return shown(api, request.if_match.empty()
                          ? api.modules.create(*std::move(module))
                          : api.modules.update(*std::move(module), unquoted(request.if_match)));
}

Response get(ModulesApi& api, const Captures& at) {
    auto module = api.modules.find(at[0], at[1]);
    if (!module)
        return refused(module.error());
    if (!*module)
        return service_refusal(404, "ModuleNotFound", at[1]);
    return shown(api, **std::move(module));
}

Response list(ModulesApi& api, const Captures& at) {
    const auto modules = api.modules.list(at[0]);
    if (!modules)
        return refused(modules.error());
    auto array = Json::array();
    for (const auto& module : *modules)
        array.push_back(to_json(module, api.service.is_connected(module.device + "/" + module.id)));
    return json_response(200, array);
}

Response remove(ModulesApi& api, const Request& request, const Captures& at) {
    const auto etag = request.if_match.empty() ? std::string("*") : unquoted(request.if_match);
    if (const auto removed = api.modules.remove(at[0], at[1], etag); !removed)
        return refused(removed.error());
    if (auto* live = api.service.find(at[0] + "/" + at[1]))
        live->channel().close("module was deleted");
    return no_content();
}

}  // namespace

void ModulesApi::mount(http::Router& router) {
    const auto with = [self = *this](auto action) {
        return [self, action](const Request& request, const Captures& at) mutable {
            return action(self, request, at);
        };
    };
    const auto& auth = authenticator;
    constexpr std::string_view one = "/devices/{device}/modules/{module}";
    router.add(Method::put, one, guarded(auth, hub::registry_write, with(put)));
    router.add(Method::remove, one, guarded(auth, hub::registry_write, with(remove)));
    router.add(Method::get, one,
               guarded(auth, hub::registry_read,
                       with([](ModulesApi& api, const Request&, const Captures& at) {
                           return get(api, at);
                       })));
    router.add(Method::get, "/devices/{device}/modules",
               guarded(auth, hub::registry_read,
                       with([](ModulesApi& api, const Request&, const Captures& at) {
                           return list(api, at);
                       })));
}

}  // namespace mitral::cloud::api
