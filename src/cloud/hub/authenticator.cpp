#include "cloud/hub/authenticator.hpp"

#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud::hub {
namespace {

auto refused(std::string reason) {
    return base::fail(CloudError::not_authorised, std::move(reason));
}

}  // namespace

base::Result<DeviceIdentity> Authenticator::device(std::string_view client_id,
                                                   std::string_view user_name,
                                                   const Credential& credential) const {
    MITRAL_TRY(auto user, azure::parse_hub_username(user_name));
    if (!hosts_.knows(user.host))
        return refused("user name is for another hub");
    const auto named = user.module.empty() ? user.device : user.device + "/" + user.module;
    if (client_id != named)
        return refused("client id differs from the user name");
    MITRAL_TRY(auto identity, request(user.device, user.module, credential));
    const auto* model = azure::find_property(user.parameters, "model-id");
    identity.model = model != nullptr ? model->value.value_or("") : "";
    return identity;
}

base::Result<DeviceIdentity> Authenticator::request(std::string_view device_id,
                                                    std::string_view module_id,
                                                    const Credential& credential) const {
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
    std::optional<std::int64_t> token_expiry_s;
    if (!credential.token.empty()) {
        MITRAL_TRY(const auto token, azure::parse_token(credential.token));
        MITRAL_CHECK(check_device_token(token, *device, module ? &*module : nullptr));
        token_expiry_s = token.expiry_s;
    } else {
        const auto name = module ? device->id + "/" + module->id : device->id;
        MITRAL_CHECK(check_certificate(credential.certificates,
                                       module ? module->authentication : device->authentication,
                                       name));
    }
    DeviceIdentity identity{.device = *std::move(device),
                            .module = std::string(module_id),
                            .token_expiry_s = token_expiry_s};
    identity.generation = module ? module->generation : identity.device.generation;
    return identity;
}

bool Authenticator::names_disabled_device(std::string_view client_id) const {
    const auto device = registry_.find(client_id.substr(0, client_id.find('/')));
    return device && *device && !(*device)->enabled;
}

base::Status Authenticator::check_device_token(const azure::ParsedToken& token,
                                               const Device& device, const Module* module) const {
    const auto& proof = module != nullptr ? module->authentication : device.authentication;
    if (proof.type != Authentication::sas)
        return refused("this identity takes a certificate, no token");
    const auto host = Hosts::host_of(token.resource);
    if (!hosts_.knows(host))
        return refused("token is for another hub");
    auto wanted = std::string(host) + "/devices/" + device.id;
    if (module != nullptr)
        wanted.append("/modules/").append(module->id);
    if (!token.policy.empty())
        return check_policy(token, hub_service, device_connect, wanted);
    return verify(token, proof.primary_key, proof.secondary_key, wanted);
}

base::Status Authenticator::check_certificate(std::span<const base::Bytes> chain,
                                              const Authentication& wanted,
                                              std::string_view name) const {
    if (chain.empty())
        return refused("neither token nor certificate");
    const auto& leaf = chain.front();
    if (wanted.type == Authentication::self_signed) {
        if (!tls::has_thumbprint(leaf, wanted.primary_thumbprint) &&
            !tls::has_thumbprint(leaf, wanted.secondary_thumbprint))
            return refused("the certificate has another thumbprint");
        return tls::check_dates(leaf, clock_.wall());
    }
    if (wanted.type != Authentication::authority)
        return refused("this identity takes a token, no certificate");
    MITRAL_TRY(const auto common_name, tls::common_name(leaf));
    if (common_name != name)
        return refused("the certificate names another identity");
    MITRAL_TRY(const auto authorities, authorities_.list());
    std::vector<std::string> anchors;
    for (const auto& authority : authorities)
        anchors.push_back(authority.pem);
    MITRAL_TRY(const auto distance, tls::check_chain(chain, anchors, clock_.wall()));
    (void)distance;
    return {};
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
