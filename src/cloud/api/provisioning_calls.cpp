#include "cloud/api/provisioning_calls.hpp"

#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::api {

http::Response provisioning_refusal(unsigned status, std::int64_t code, std::string_view message) {
    return json_response(status, {{"errorCode", code},
                                  {"trackingId", store::new_tracking_id()},
                                  {"message", message},
                                  {"timestampUtc", base::to_iso8601(base::SystemClock().wall())}});
}

std::int64_t provisioning_code_of(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return 404201;
    if (error.code == CloudError::already_exists)
        return 409201;
    if (error.code == CloudError::stale_etag)
        return 412002;
    if (error.code == CloudError::not_supported)
        return 501000;
    return error.code == CloudError::storage ? 500000 : 400004;
}

http::Response provisioning_refusal_of(const base::Error& error) {
    const auto code = provisioning_code_of(error);
    if (error.code == CloudError::storage) {
        base::log(base::Severity::error, "enrollments-failed", {{"cause", error.message()}});
        return provisioning_refusal(500, code, "storage failed");
    }
    const auto message = error.code == CloudError::not_supported
                             ? error.context + " is not supported"
                             : error.context;
    return provisioning_refusal(static_cast<unsigned>(code / 1000), code, message);
}

http::RouteHandler provisioning_guarded(const hub::Authenticator& authenticator,
                                        std::uint32_t rights, http::RouteHandler action) {
    return [&authenticator, rights, action = std::move(action)](const http::Request& request,
                                                                const http::Captures& at) {
        const auto allowed = authenticator.service(hub::dps_service, request.authorization, rights);
        if (allowed)
            return action(request, at);
        base::log_security("service-call-refused", {{"path", azure::shown(request.path)},
                                                    {"cause", allowed.error().message()}});
        return provisioning_refusal(401, 401002, "Unauthorized");
    };
}

}  // namespace mitral::cloud::api
