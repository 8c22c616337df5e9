#include "cloud/hub/authenticator.hpp"

#include "base/encoding.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

auto refused(std::string reason) {
    return base::fail(CloudError::not_authorised, std::move(reason));
}

}  // namespace

base::Result<DeviceIdentity> Authenticator::device(std::string_view client_id,
                                                   std::string_view user_name,
                                                   std::string_view token_text) const {
    MITRAL_TRY(auto user, azure::parse_hub_username(user_name));
    if (!hosts_.knows(user.host))
        return refused("user name is for another hub");
    const auto named = user.module.empty() ? user.device : user.device + "/" + user.module;
    if (client_id != named)
        return refused("client id differs from the user name");
    MITRAL_TRY(auto identity, request(user.device, user.module, token_text));
    const auto* model = azure::find_property(user.parameters, "model-id");
    identity.model = model != nullptr ? model->value.value_or("") : "";
    return identity;
}

base::Result<DeviceIdentity> Authenticator::request(std::string_view device_id,
                                                    std::string_view module_id,
                                                    std::string_view token_text) const {
    MITRAL_TRY(auto device, registry_.find(device_id));
    if (!device)
        return refused("unknown device");
    if (!device->enabled)
        return refused("device is disabled");
    std::optional<Module> module;
    if (!module_id.empty()) {
        MITRAL_TRY(module, registry_.modules().find(device_id, module_id));
        if (!module)
            return refused("unknown module");
    }
    if (token_text.empty())
        return refused("no token");
    MITRAL_TRY(const auto token, azure::parse_token(token_text));
    MITRAL_CHECK(check_device_token(token, *device, module ? &*module : nullptr));
    DeviceIdentity identity{.device = *std::move(device),
                            .module = std::string(module_id),
                            .token_expiry_s = token.expiry_s};
    identity.generation = module ? module->generation : identity.device.generation;
    return identity;
}

base::Status Authenticator::check_device_token(const azure::ParsedToken& token,
                                               const Device& device, const Module* module) const {
    const auto host = Hosts::host_of(token.resource);
    if (!hosts_.knows(host))
        return refused("token is for another hub");
    auto wanted = std::string(host) + "/devices/" + device.id;
    if (module != nullptr)
        wanted.append("/modules/").append(module->id);
    if (!token.policy.empty())
        return check_policy(token, hub_service, device_connect, wanted);
    if (module != nullptr)
        return verify(token, module->primary_key, module->secondary_key, wanted);
    return verify(token, device.primary_key, device.secondary_key, wanted);
}

base::Status Authenticator::service(std::string_view service, std::string_view token_text,
                                    std::uint32_t rights) const {
    MITRAL_TRY(const auto token, azure::parse_token(token_text));
    const auto host = Hosts::host_of(token.resource);
    if (!hosts_.knows(host))
        return refused("token is for another host");
    if (token.policy.empty())
        return refused("token names no policy");
    return check_policy(token, service, rights, host);
}

base::Status Authenticator::check_policy(const azure::ParsedToken& token, std::string_view service,
                                         std::uint32_t rights, std::string_view wanted) const {
    MITRAL_TRY(const auto policy, policies_.find(service, token.policy));
    if (!policy)
        return refused("unknown policy");
    if ((policy->rights & rights) != rights)
        return refused("policy " + policy->name + " lacks the right");
    return verify(token, policy->primary_key, policy->secondary_key, wanted);
}

base::Status Authenticator::verify(const azure::ParsedToken& token, std::string_view primary,
                                   std::string_view secondary, std::string_view wanted) const {
    MITRAL_TRY(const auto first, base::secret_from_base64(primary));
    MITRAL_TRY(const auto second, base::secret_from_base64(secondary));
    const azure::TokenCheck check{
        .wanted = wanted, .now_s = clock_.wall().unix_seconds(), .skew = skew_};
    return azure::verify_token(token, {first.view(), second.view()}, check);
}

}  // namespace mitral::cloud::hub
