#include "cloud/api/twins_api.hpp"

#include "cloud/api/authentication_body.hpp"
#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/twin_channel.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view never = "0001-01-01T00:00:00Z";

hub::TwinName name_of(const Captures& at) {
    return {at[0], at.size() > 1 ? std::string_view(at[1]) : std::string_view()};
}

// Quotes of either kind (the C SDK has sent single ones) and the mark of a weak etag belong to the
// header. Without the header any twin will do.
std::string wanted_etag(std::string_view header) {
    if (header.starts_with("W/"))
        header.remove_prefix(2);
    for (const char quote : {'"', '\''})
        if (header.size() >= 2 && header.front() == quote && header.back() == quote)
            header = header.substr(1, header.size() - 2);
    return std::string(header.empty() ? "*" : header);
}

// Null as good as absent.
base::Result<std::optional<std::string>> part(const Json& holder, std::string_view name) {
    const auto* value = member(holder, name);
    if (value == nullptr || value->is_null())
        return std::nullopt;
    if (!value->is_object())
        return base::fail(CloudError::invalid_argument, std::string(name) + " is no object");
    return dump(*value);
}

// Members that the service does not own (identity, reported properties) are passed over: clients
// send back the twin that they read.
base::Result<hub::TwinChange> whole_twin(const Json& body, bool replace) {
    hub::TwinChange change{.replace = replace};
    MITRAL_TRY(change.tags, part(body, "tags"));
    if (const auto* properties = member(body, "properties"); properties && !properties->is_null()) {
        if (!properties->is_object())
            return base::fail(CloudError::invalid_argument, "properties is no object");
        MITRAL_TRY(change.desired, part(*properties, "desired"));
    }
    if (replace) {
        change.tags = change.tags.value_or("{}");
        change.desired = change.desired.value_or("{}");
    }
    return change;
}

enum class Scope : std::uint8_t { twin, tags, desired };

// At a part's own path the body is the part, or the twin around it.
base::Result<hub::TwinChange> read_change(std::string_view text, Scope scope, bool replace) {
    MITRAL_TRY(const auto body, parse_json(text));
    if (!body.is_object())
        return base::fail(CloudError::invalid_argument, "body is no JSON object");
    if (scope == Scope::twin)
        return whole_twin(body, replace);
    hub::TwinChange change{.replace = replace};
    const auto* around = scope == Scope::tags ? member(body, "tags") : nullptr;
    if (const auto* properties = member(body, "properties"); scope == Scope::desired && properties)
        around = member(*properties, "desired");
    auto& wanted = scope == Scope::tags ? change.tags : change.desired;
    wanted = dump(around != nullptr && around->is_object() && body.size() == 1 ? *around : body);
    return change;
}

Response show(const TwinsApi& api, const hub::Twin& twin) {
    Response response;
    response.body = twin_json(twin, api.service.is_connected(client_id(twin.name())));
    response.headers.emplace_back("ETag", '"' + twin.etag() + '"');
    return response;
}

Response get(const TwinsApi& api, const Captures& at) {
    const auto twin = api.twins.find(name_of(at));
    return twin ? show(api, *twin) : refusal_of(twin.error());
}

Response change(const TwinsApi& api, const Request& request, const Captures& at, Scope scope) {
    const auto wanted = read_change(request.body, scope, request.method == Method::put);
    if (!wanted)
        return refusal_of(wanted.error());
    const auto update = api.twins.update(name_of(at), *wanted, wanted_etag(request.if_match));
    if (!update)
        return refusal_of(update.error());
    if (auto* client = api.service.find(client_id(name_of(at))))
        hub::TwinChannel::push_desired(*client, *update);
    return show(api, update->twin);
}

}  // namespace

void TwinsApi::mount(http::Router& router) const {
    const auto add = [&](Method method, const std::string& path, http::RouteHandler action) {
        for (const auto* owner : {"/twins/{device}", "/twins/{device}/modules/{module}"})
            router.add(method, owner + path, guarded(authenticator, hub::service_connect, action));
    };
    add(Method::get, "",
        [self = *this](const Request&, const Captures& at) { return get(self, at); });
    for (const auto& [path, scope] : {std::pair{"", Scope::twin}, std::pair{"/tags", Scope::tags},
                                      std::pair{"/properties/desired", Scope::desired}})
        for (const auto method : {Method::patch, Method::put})
            add(method, path, [self = *this, scope](const Request& request, const Captures& at) {
                return change(self, request, at, scope);
            });
}

std::string client_id(hub::TwinName name) {
    auto id = std::string(name.device);
    return name.module.empty() ? id : id.append("/").append(name.module);
}

std::string twin_json(const hub::Twin& twin, bool connected) {
    Json head{
        {"deviceId", twin.device},
        {"etag", twin.etag()},
        {"deviceEtag", twin.device_etag},
        {"status", twin.enabled ? "enabled" : "disabled"},
        {"statusUpdateTime", base::to_iso8601(twin.status_updated)},
        {"connectionState", connected ? "Connected" : "Disconnected"},
        {"lastActivityTime", never},
        {"cloudToDeviceMessageCount", twin.waiting_messages},
        {"authenticationType", twin.auth_type},
        {"x509Thumbprint", thumbprints_json(twin.primary_thumbprint, twin.secondary_thumbprint)},
        {"modelId", twin.model},
        {"version", twin.version},
        {"capabilities", {{"iotEdge", twin.edge}}}};
    if (!twin.module.empty())
        head["moduleId"] = twin.module;
    if (!twin.status_reason.empty())
        head["statusReason"] = twin.status_reason;
    auto text = dump(head);
    text.pop_back();
    return text + R"(,"tags":)" + twin.tags + R"(,"properties":{"desired":)" +
           with_metadata(twin.desired) + R"(,"reported":)" + with_metadata(twin.reported) + "}}";
}

}  // namespace mitral::cloud::api
