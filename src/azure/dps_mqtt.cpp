#include <fmt/format.h>

#include "azure/dps.hpp"
#include "azure/errors.hpp"
#include "azure/ids.hpp"
#include "azure/topics.hpp"

namespace mitral::azure {
namespace {

constexpr std::size_t max_username = 4096;
constexpr std::string_view registrations = "/registrations/";
constexpr std::string_view register_prefix = "$dps/registrations/PUT/iotdps-register/?";
constexpr std::string_view look_up_prefix = "$dps/registrations/GET/iotdps-get-operationstatus/?";

// The raw value: `$rid` has to go back exactly as it came.
std::string_view raw_parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
            return pair.substr(name.size() + 1);
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

std::string text_parameter(const PropertyBag& bag, std::string_view name) {
    const auto* found = find_property(bag, name);
    return found == nullptr ? std::string() : found->value.value_or("");
}

}  // namespace

bool is_dps_username(std::string_view text) noexcept {
    const auto slash = text.find('/');
    return slash != std::string_view::npos && text.substr(slash).starts_with(registrations);
}

base::Result<DpsUsername> parse_dps_username(std::string_view text) {
    if (text.size() > max_username)
        return base::fail(AzureError::too_large, "username longer than 4096 bytes");
    if (!is_dps_username(text))
        return base::fail(AzureError::malformed_topic, "not a provisioning username");
    DpsUsername user;
    const auto scope_end = text.find('/');
    user.id_scope = text.substr(0, scope_end);
    MITRAL_CHECK(check_id_scope(user.id_scope));
    text.remove_prefix(scope_end + registrations.size());
    const auto id_end = std::min(text.find('/'), text.size());
    user.registration_id = text.substr(0, id_end);
    MITRAL_CHECK(check_registration_id(user.registration_id));
    text.remove_prefix(std::min(id_end + 1, text.size()));
    if (text.starts_with('?'))
        text.remove_prefix(1);
    MITRAL_TRY(const auto parameters, decode_bag(text));
    user.api_version = text_parameter(parameters, "api-version");
    user.client_version = text_parameter(parameters, "ClientVersion");
    if (user.api_version.empty())
        return base::fail(AzureError::malformed_topic, "username without api-version");
    return user;
}

base::Result<DpsTopic> parse_dps_topic(std::string_view topic) {
    DpsTopic parsed;
    if (topic.starts_with(register_prefix)) {
        topic.remove_prefix(register_prefix.size());
    } else if (topic.starts_with(look_up_prefix)) {
        parsed.kind = DpsTopic::Kind::look_up;
        topic.remove_prefix(look_up_prefix.size());
    } else {
        return base::fail(AzureError::malformed_topic, "not a provisioning topic");
    }
    parsed.request_id = raw_parameter(topic, "$rid");
    if (parsed.request_id.empty())
        return base::fail(AzureError::malformed_topic, "a provisioning topic without $rid");
    MITRAL_TRY(const auto parameters, decode_bag(topic));
    parsed.operation_id = text_parameter(parameters, "operationId");
    if (parsed.kind == DpsTopic::Kind::look_up && parsed.operation_id.empty())
        return base::fail(AzureError::malformed_topic, "a look-up without operationId");
    return parsed;
}

std::string dps_answer_topic(int status, std::string_view request_id,
                             std::optional<base::Seconds> retry) {
    // Node reads "retry-after" in lower case only.
    if (retry)
        return fmt::format("$dps/registrations/res/{}/?$rid={}&retry-after={}", status, request_id,
                           retry->count());
    return fmt::format("$dps/registrations/res/{}/?$rid={}", status, request_id);
}

}  // namespace mitral::azure
