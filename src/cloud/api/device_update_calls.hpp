// Private to cloud/api: what the calls of Device Update share (api-version 2022-10-01).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/adu/import_manifest.hpp"
#include "cloud/api/json.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// Who may call: wraps a handler.
using CallGuard = std::function<http::RouteHandler(http::RouteHandler)>;
// Tokens of the policy deviceUpdate, as they are or behind "Bearer ", where Azure wants a token of
// its directory. `authenticator` outlives the handlers.
[[nodiscard]] CallGuard update_policy(const hub::Authenticator& authenticator);
[[nodiscard]] CallGuard anyone();  // for the admin port

// Adds "/deviceUpdate/{instance}" + `path`; another instance than ours is answered with 404. The
// handler's captures begin behind the instance.
void add_update_call(http::Router& router, const CallGuard& guard, http::Method method,
                     std::string_view path, http::RouteHandler action);

// {"error":{"code":"…","message":"…","occurredDateTime":"…"}}
[[nodiscard]] http::Response update_refusal(unsigned status, std::string_view code,
                                            std::string_view message);
[[nodiscard]] http::Response update_refusal(const base::Error& error);

// {"value":[…],"nextLink":"…"}, a hundred at a time.
[[nodiscard]] http::Response update_page(const http::Request& request, std::vector<Json> items);

// "name eq 'value' and other eq true" of these names. Fails with invalid_argument.
[[nodiscard]] base::Result<std::map<std::string, std::string>> read_filter(
    const http::Request& request, const std::vector<std::string_view>& names);

[[nodiscard]] Json id_json(const adu::UpdateId& id);
// {"updateId":{…},"description":…,"friendlyName":…}
[[nodiscard]] Json update_info_json(const adu::UpdateId& id, std::string_view description,
                                    std::string_view friendly_name);
[[nodiscard]] base::Result<adu::UpdateId> read_update_id(const Json& holder);

}  // namespace mitral::cloud::api
