// Private to cloud/api: what the calls of the hub's service API share.
#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// {"Message":"ErrorCode:{code};{detail}","ExceptionMessage":"Tracking ID:…"}
[[nodiscard]] http::Response service_refusal(unsigned status, std::string_view code,
                                             std::string_view detail);
// The error of a registry operation, as IoT Hub tells it. Failures of the storage are logged.
[[nodiscard]] http::Response refusal_of(const base::Error& error);
// 401, logged with its cause; the caller only learns "no".
[[nodiscard]] http::Response unauthorised(const http::Request& request, const base::Error& cause);
[[nodiscard]] http::Response no_content();

// Runs `action` for tokens of a hub policy with all `rights`. `authenticator` outlives the handler.
[[nodiscard]] http::RouteHandler guarded(const hub::Authenticator& authenticator,
                                         std::uint32_t rights, http::RouteHandler action);

// What a device shows; refers to the request.
[[nodiscard]] hub::Credential credential_of(const http::Request& request);

// `If-Match: "*"` and quoted etags: the quotes are part of the header, not of the tag.
[[nodiscard]] std::string unquoted(std::string_view etag);

}  // namespace mitral::cloud::api
