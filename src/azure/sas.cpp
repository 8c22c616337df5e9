#include "azure/sas.hpp"

#include <algorithm>

#include "azure/errors.hpp"
#include "azure/ids.hpp"
#include "azure/sas_core.h"
#include "base/encoding.hpp"

namespace mitral::azure {
namespace {

static_assert(max_token_lifetime.count() == MITRAL_SAS_MAX_LIFETIME_S);

std::unexpected<base::Error> fail_core(mitral_sas_status status) {
    switch (status) {
        case MITRAL_SAS_INVALID_LIFETIME:
            return base::fail(AzureError::invalid_lifetime, "a token lives between 1 s and 24 h");
        case MITRAL_SAS_INVALID_TIME:
            return base::fail(AzureError::invalid_lifetime,
                              "the token's end is not a plausible time; check the clock");
        case MITRAL_SAS_INVALID_NAME:
            return base::fail(AzureError::invalid_name,
                              "a name in the token's resource is not valid");
        default:
            return base::fail(AzureError::too_large, "the token's resource is too long");
    }
}

base::Result<std::string> encoded(std::string_view resource) {
    std::array<char, MITRAL_SAS_MAX_ENCODED> buffer;
    std::size_t written = 0;
    const auto status =
        mitral_sas_encode(resource.data(), resource.size(), buffer.data(), buffer.size(), &written);
    if (status != MITRAL_SAS_OK)
        return fail_core(status);
    return std::string(buffer.data(), written);
}

base::Result<std::string> hub_resource(std::string_view hub, std::string_view device,
                                       std::string_view module) {
    std::array<char, MITRAL_SAS_MAX_RESOURCE> buffer;
    std::size_t written = 0;
    const auto status =
        mitral_sas_hub_resource(hub.data(), hub.size(), device.data(), device.size(), module.data(),
                                module.size(), buffer.data(), buffer.size(), &written);
    if (status != MITRAL_SAS_OK)
        return fail_core(status);
    return std::string(buffer.data(), written);
}

}  // namespace

base::Result<std::string> device_resource(std::string_view hub, std::string_view device) {
    MITRAL_CHECK(check_host(hub));
    MITRAL_CHECK(check_device_id(device));
    return hub_resource(hub, device, {});
}

base::Result<std::string> module_resource(std::string_view hub, std::string_view device,
                                          std::string_view module) {
    MITRAL_CHECK(check_host(hub));
    MITRAL_CHECK(check_device_id(device));
    MITRAL_CHECK(check_device_id(module));
    return hub_resource(hub, device, module);
}

base::Result<std::string> registration_resource(std::string_view id_scope,
                                                std::string_view registration) {
    MITRAL_CHECK(check_id_scope(id_scope));
    MITRAL_CHECK(check_registration_id(registration));
    std::array<char, MITRAL_SAS_MAX_RESOURCE> buffer;
    std::size_t written = 0;
    const auto status = mitral_sas_registration_resource(id_scope.data(), id_scope.size(),
                                                         registration.data(), registration.size(),
                                                         buffer.data(), buffer.size(), &written);
    if (status != MITRAL_SAS_OK)
        return fail_core(status);
    return std::string(buffer.data(), written);
}

base::Result<std::int64_t> token_expiry(std::int64_t now_s, base::Seconds lifetime) {
    std::int64_t expiry = 0;
    const auto status = mitral_sas_expiry(now_s, lifetime.count(), &expiry);
    if (status != MITRAL_SAS_OK)
        return fail_core(status);
    return expiry;
}

base::Result<std::string> string_to_sign(std::string_view resource, std::int64_t expiry_s) {
    MITRAL_TRY(const auto text, encoded(resource));
    std::array<char, MITRAL_SAS_MAX_TO_SIGN> buffer;
    std::size_t written = 0;
    const auto status = mitral_sas_to_sign(text.data(), text.size(), expiry_s, buffer.data(),
                                           buffer.size(), &written);
    if (status != MITRAL_SAS_OK)
        return fail_core(status);
    return std::string(buffer.data(), written);
}

base::Result<base::Secret> assemble_token(std::string_view resource, std::int64_t expiry_s,
                                          const base::Sha256Digest& mac, std::string_view policy) {
    MITRAL_TRY(const auto text, encoded(resource));
    base::Secret token(MITRAL_SAS_MAX_TOKEN);
    std::size_t written = 0;
    const auto status = mitral_sas_assemble(
        text.data(), text.size(), mac.data(), expiry_s, policy.data(), policy.size(),
        reinterpret_cast<char*>(token.bytes().data()), token.size(), &written);
    if (status != MITRAL_SAS_OK)
        return fail_core(status);
    token.shrink(written);
    return token;
}

base::Result<base::Secret> sign_token(base::ByteView key, std::string_view resource,
                                      std::int64_t expiry_s, std::string_view policy) {
    MITRAL_TRY(const auto text, string_to_sign(resource, expiry_s));
    return assemble_token(resource, expiry_s, base::hmac_sha256(key, base::as_bytes(text)), policy);
}

base::Secret derive_device_key(base::ByteView group_key, std::string_view registration_id) {
    auto digest = base::hmac_sha256(group_key, base::as_bytes(registration_id));
    base::Secret key{base::ByteView(digest)};
    base::wipe(digest);
    return key;
}

bool is_signed_by(const ParsedToken& token, base::ByteView key) {
    const auto expected =
        base::hmac_sha256(key, base::as_bytes(token.raw_resource + "\n" + token.raw_expiry));
    return base::equal_constant_time(expected, token.signature);
}

base::Status verify_token(const ParsedToken& token, std::initializer_list<base::ByteView> keys,
                          const TokenCheck& check) {
    const auto fits = [&](base::ByteView key) { return !key.empty() && is_signed_by(token, key); };
    if (std::ranges::none_of(keys, fits))
        return base::fail(AzureError::wrong_signature, "no key of this identity signed the token");
    if (!covers(token.resource, check.wanted))
        return base::fail(AzureError::not_authorised,
                          "the token's resource does not cover this one");
    if (token.expiry_s < check.now_s - check.skew.count())
        return base::fail(AzureError::token_expired, "the token has expired");
    return {};
}

}  // namespace mitral::azure
