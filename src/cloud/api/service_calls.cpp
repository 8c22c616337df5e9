#include "cloud/api/service_calls.hpp"

#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/api/json.hpp"
#include "cloud/api/unsupported.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::api {

http::Response service_refusal(unsigned status, std::string_view code, std::string_view detail) {
    const auto message = "ErrorCode:" + std::string(code) + ";" + std::string(detail);
    return json_response(status, {{"Message", message},
                                  {"ExceptionMessage", "Tracking ID:" + store::new_tracking_id()}});
}

http::Response refusal_of(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return service_refusal(404, "DeviceNotFound", error.context);
    if (error.code == CloudError::already_exists)
        return service_refusal(409, "DeviceAlreadyExists", error.context);
    if (error.code == CloudError::stale_etag)
        return service_refusal(412, "PreconditionFailed", error.context);
    if (error.code == CloudError::too_large)
        return service_refusal(413, "MessageTooLarge", error.context);
    if (error.code == CloudError::throttled)
        return service_refusal(429, "ThrottlingException", error.context);
    if (error.code == CloudError::not_supported)
        return not_implemented(error.context);
    if (error.code == CloudError::storage) {
        base::log(base::Severity::error, "registry-failed", {{"cause", error.message()}});
        return service_refusal(500, "ServerError", "storage failed");
    }
    return service_refusal(400, "ArgumentInvalid", error.context);
}

http::Response unauthorised(const http::Request& request, const base::Error& cause) {
    base::log_security("service-call-refused",
                       {{"path", azure::shown(request.path)}, {"cause", cause.message()}});
    return service_refusal(401, "IotHubUnauthorizedAccess", "Unauthorized");
}

http::Response no_content() {
    http::Response response;
    response.status = 204;
    return response;
}

http::RouteHandler guarded(const hub::Authenticator& authenticator, std::uint32_t rights,
                           http::RouteHandler action) {
    return [&authenticator, rights, action = std::move(action)](const http::Request& request,
                                                                const http::Captures& at) {
        const auto allowed = authenticator.service(hub::hub_service, request.authorization, rights);
        return allowed ? action(request, at) : unauthorised(request, allowed.error());
    };
}

hub::Credential credential_of(const http::Request& request) {
    return {.token = request.authorization, .certificates = request.certificates};
}

std::string unquoted(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
        etag = etag.substr(1, etag.size() - 2);
    return std::string(etag);
}

}  // namespace mitral::cloud::api
