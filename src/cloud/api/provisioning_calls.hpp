// Private to cloud/api: what all calls of the DPS service API share.
#pragma once

#include "cloud/api/json.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// {"errorCode":404201,"trackingId":…,"message":…,"timestampUtc":…}
[[nodiscard]] http::Response provisioning_refusal(unsigned status, std::int64_t code,
                                                  std::string_view message);
[[nodiscard]] http::Response provisioning_refusal_of(const base::Error& error);
// The number that stands for an error in bodies.
[[nodiscard]] std::int64_t provisioning_code_of(const base::Error& error);

// `action` behind a shared access policy of DPS with these rights, else 401.
[[nodiscard]] http::RouteHandler provisioning_guarded(const hub::Authenticator& authenticator,
                                                      std::uint32_t rights,
                                                      http::RouteHandler action);

}  // namespace mitral::cloud::api
