#include "cloud/api/device_update_calls.hpp"

#include <algorithm>
#include <charconv>

#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/adu/device_update.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

constexpr std::size_t page_size = 100;
constexpr std::string_view version_parameter = "api-version=2022-10-01";

std::string_view without_bearer(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    return azure::equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)
               ? authorization.substr(scheme.size())
               : authorization;
}

}  // namespace

CallGuard update_policy(const hub::Authenticator& authenticator) {
    return [&authenticator](http::RouteHandler action) -> http::RouteHandler {
        return [&authenticator, action = std::move(action)](const http::Request& request,
                                                            const http::Captures& at) {
            const auto allowed = authenticator.service(
                hub::update_service, without_bearer(request.authorization), hub::device_update);
            if (allowed)
                return action(request, at);
            base::log_security("update-call-refused", {{"path", azure::shown(request.path)},
                                                       {"cause", allowed.error().message()}});
            return update_refusal(401, "Unauthorized", "Unauthorized");
        };
    };
}

CallGuard anyone() {
    return [](http::RouteHandler action) { return action; };
}

void add_update_call(http::Router& router, const CallGuard& guard, http::Method method,
                     std::string_view path, http::RouteHandler action) {
    router.add(
        method, "/deviceUpdate/{instance}" + std::string(path),
        guard([action = std::move(action)](const http::Request& request, const http::Captures& at) {
            if (!azure::equal_ignoring_case(at.front(), adu::instance_name))
                return update_refusal(404, "NotFound", "the only instance is \"default\"");
            return action(request, http::Captures(at.begin() + 1, at.end()));
        }));
}

http::Response update_refusal(unsigned status, std::string_view code, std::string_view message) {
    return json_response(status, {{"error", {{"code", code}, {"message", message}}}});
}

http::Response update_refusal(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return update_refusal(404, "NotFound", error.context);
    if (error.code == CloudError::already_exists || error.code == CloudError::stale_etag)
        return update_refusal(409, "Conflict", error.context);
    if (error.code == CloudError::too_large)
        return update_refusal(413, "TooLarge", error.context);
    if (error.code == CloudError::throttled)
        return update_refusal(429, "TooManyRequests", error.context);
    if (error.code == CloudError::not_supported)
        return update_refusal(501, "NotImplemented", error.context + " is not supported");
    if (error.code == CloudError::invalid_argument)
        return update_refusal(400, "BadRequest", error.context);
    base::log(base::Severity::error, "device-update-failed", {{"cause", error.message()}});
    return update_refusal(500, "InternalServerError", "storage failed");
}

http::Response update_page(const http::Request& request, std::vector<Json> items) {
    const auto wanted = request.parameter("$skip");
    std::size_t first = 0;
    const auto* end = wanted.data() + wanted.size();
    const auto [at, error] = std::from_chars(wanted.data(), end, first);
    if (!wanted.empty() && (error != std::errc() || at != end))
        return update_refusal(400, "BadRequest", "$skip is no number");
    first = std::min(first, items.size());
    const auto last = std::min(items.size(), first + page_size);
    Json page{{"value", Json::array()}};
    for (auto i = first; i < last; ++i)
        page["value"].push_back(std::move(items[i]));
    if (last < items.size()) {
        auto link = request.path + "?" + std::string(version_parameter);
        for (const auto* kept : {"filter", "search", "orderby"})
            if (const auto value = request.parameter(kept); !value.empty())
                link += "&" + std::string(kept) + "=" + azure::percent_encode(value);
        page["nextLink"] = link + "&$skip=" + std::to_string(last);
    }
    return json_response(200, page);
}

base::Result<std::map<std::string, std::string>> read_filter(
    const http::Request& request, const std::vector<std::string_view>& names) {
    std::map<std::string, std::string> found;
    auto text = request.parameter("filter");
    const auto bad = [] {
        return base::fail(CloudError::invalid_argument, "filter is not understood");
    };
    while (!text.empty()) {
        constexpr std::string_view equals = " eq ";
        constexpr std::string_view joint = " and ";
        const auto clause = text.substr(0, text.find(joint));
        text.remove_prefix(std::min(text.size(), clause.size() + joint.size()));
        const auto middle = clause.find(equals);
        if (middle == std::string_view::npos)
            return bad();
        auto value = clause.substr(middle + equals.size());
        if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
            value = value.substr(1, value.size() - 2);
        const auto known = std::find_if(names.begin(), names.end(), [&](std::string_view name) {
            return azure::equal_ignoring_case(name, clause.substr(0, middle));
        });
        if (known == names.end())
            return bad();
        found[std::string(*known)] = std::string(value);
    }
    return found;
}

Json id_json(const adu::UpdateId& id) {
    return {{"provider", id.provider}, {"name", id.name}, {"version", id.version}};
}

Json update_info_json(const adu::UpdateId& id, std::string_view description,
                      std::string_view friendly_name) {
    Json json{{"updateId", id_json(id)}};
    if (!description.empty())
        json["description"] = description;
    if (!friendly_name.empty())
        json["friendlyName"] = friendly_name;
    return json;
}

base::Result<adu::UpdateId> read_update_id(const Json& holder) {
    const auto* value = member(holder, "updateId");
    if (value == nullptr || !value->is_object())
        return base::fail(CloudError::invalid_argument, "updateId is missing");
    adu::UpdateId id{text_member(*value, "provider"), text_member(*value, "name"),
                     text_member(*value, "version")};
    MITRAL_CHECK(adu::check_id(id));
    return id;
}

}  // namespace mitral::cloud::api
