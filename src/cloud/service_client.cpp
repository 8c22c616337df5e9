#include "cloud/service_client.hpp"

#include <nlohmann/json.hpp>

#include "azure/sas.hpp"
#include "azure/text.hpp"
#include "base/encoding.hpp"
#include "cloud/admin_client.hpp"
#include "cloud/error.hpp"
#include "cloud/state.hpp"

namespace mitral::cloud {
namespace {

constexpr base::Seconds token_life{60};

struct Signer {
    std::string_view service;
    const char* policy;
};

Signer signer_of(const ServiceCall& call) {
    if (call.provisioning)
        return {hub::dps_service, "provisioningserviceowner"};
    if (call.path.starts_with("/deviceUpdate/"))
        return {hub::update_service, "deviceUpdate"};
    return {hub::hub_service, "iothubowner"};
}

base::Result<base::Secret> token_of(const std::string& directory, const ServiceCall& call) {
    const base::SystemClock clock;
    MITRAL_TRY(const auto state, State::open(directory, clock));
    const auto [service, name] = signer_of(call);
    MITRAL_TRY(const auto policy, state->policies.find(service, name));
    if (!policy)
        return base::fail(CloudError::not_found, std::string("policy ") + name);
    MITRAL_TRY(const auto key, base::secret_from_base64(policy->primary_key));
    return azure::sign_token(key.view(), "localhost",
                             clock.wall().unix_seconds() + token_life.count(), name);
}

std::string header(std::string_view name, std::string_view value) {
    if (value.empty())
        return {};
    return std::string(name) + ": " + std::string(value) + "\r\n";
}

// Of {"Message":…}, whose text may be JSON again (methods).
std::string words_of(const AdminAnswer& answer) {
    const auto body = nlohmann::json::parse(answer.body, nullptr, false);
    std::string text = "status " + std::to_string(answer.status);
    for (const auto* name : {"Message", "message"})
        if (body.is_object() && body.contains(name) && body[name].is_string())
            text = body[name].get<std::string>();
    const auto inner = nlohmann::json::parse(text, nullptr, false);
    if (inner.is_object() && inner.contains("message") && inner["message"].is_string())
        text = inner["message"].get<std::string>();
    return azure::shown(text);
}

}  // namespace

base::Result<ServiceAnswer> call_service(const std::string& state, const ServiceCall& call) {
    MITRAL_TRY(const auto port, admin_port(state));
    MITRAL_TRY(const auto token, token_of(state, call));
    const auto headers = header("Authorization", base::as_text(token.view())) +
                         header("If-Match", call.if_match) +
                         header("x-ms-continuation", call.continuation) +
                         header("x-ms-max-item-count", call.page_size);
    const auto answer = exchange({.port = port,
                                  .method = call.method,
                                  .path = "/service" + call.path,
                                  .headers = headers,
                                  .body = call.body,
                                  .patience = call.patience});
    if (!answer)
        return base::fail_with("is mitral-cloud running on " + state, answer.error());
    if (answer->status < 200 || answer->status > 299)
        return base::fail(CloudError::invalid_argument, words_of(*answer));
    return ServiceAnswer{.body = answer->body, .continuation = answer->header("x-ms-continuation")};
}

}  // namespace mitral::cloud
