#pragma once

#include <optional>

#include "cloud/http/router.hpp"
#include "cloud/limits/limits.hpp"
#include "cloud/metrics/exposition.hpp"

namespace mitral::cloud::api {

// Serves a call within its limit; 429 when that is used up, 403 when the day's quota is. A call
// that is refused uses nothing: strangers must not use up what belongs to devices.
[[nodiscard]] http::Response within_limits(limits::Limits& limits, const http::Request& request,
                                           const http::Handler& serve);

// GET /limits of the admin port: tier's figures and what is used. `limits` is null without a tier,
// and outlives the router.
void mount_limits(http::Router& router, limits::Limits* limits);

// Families of a hub that has a tier.
void add_limits(metrics::Exposition& out, limits::Limits& limits);

}  // namespace mitral::cloud::api
