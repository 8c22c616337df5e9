#include "cloud/amqp/claims.hpp"

#include <algorithm>
#include <limits>

#include "azure/sas.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

auto refused(std::string reason) {
    return base::fail(CloudError::not_authorised, std::move(reason));
}

std::string_view without_scheme(std::string_view resource) {
    const auto scheme = resource.find("://");
    if (scheme != std::string_view::npos)
        resource.remove_prefix(scheme + 3);
    while (resource.ends_with('/'))
        resource.remove_suffix(1);
    return resource;
}

// "devices/{device}" or "devices/{device}/modules/{module}" behind the host.
struct DevicePath {
    std::string device{};
    std::string module{};
};
std::optional<DevicePath> device_path(std::string_view resource) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= resource.size() && parts.size() < 6;) {
        const auto end = std::min(resource.find('/', at), resource.size());
        parts.push_back(resource.substr(at, end - at));
        at = end + 1;
    }
    if (parts.size() == 3 && parts[1] == "devices")
        return DevicePath{std::string(parts[2]), {}};
    if (parts.size() == 5 && parts[1] == "devices" && parts[3] == "modules")
        return DevicePath{std::string(parts[2]), std::string(parts[4])};
    return std::nullopt;
}

bool same_text(std::string_view left, std::string_view right) {
    return base::equal_constant_time(base::as_bytes(left), base::as_bytes(right));
}

}  // namespace

base::Result<Claim> ClaimJudge::judge(std::string_view text) const {
    MITRAL_TRY(const auto token, azure::parse_token(text));
    if (!hosts_.knows(hub::Hosts::host_of(without_scheme(token.resource))))
        return refused("token is for another hub");
    return token.policy.empty() ? judge_device(token, text) : judge_policy(token);
}

base::Result<Claim> ClaimJudge::judge_policy(const azure::ParsedToken& token) const {
    MITRAL_TRY(const auto policy, policies_.find(hub::hub_service, token.policy));
    if (!policy)
        return refused("unknown policy");
    MITRAL_TRY(const auto first, base::secret_from_base64(policy->primary_key));
    MITRAL_TRY(const auto second, base::secret_from_base64(policy->secondary_key));
    const azure::TokenCheck check{.wanted = token.resource, .now_s = now_s(), .skew = skew_};
    MITRAL_CHECK(
        azure::verify_token(token,
                            {first.view(), second.view(), base::as_bytes(policy->primary_key),
                             base::as_bytes(policy->secondary_key)},
                            check));
    return Claim{.resource = std::string(without_scheme(token.resource)),
                 .rights = policy->rights,
                 .expiry_s = token.expiry_s};
}

base::Result<Claim> ClaimJudge::judge_device(const azure::ParsedToken& token,
                                             std::string_view text) const {
    const auto path = device_path(token.resource);
    if (!path)
        return refused("token names no policy and no device");
    MITRAL_TRY(const auto identity,
               authenticator_.request(path->device, path->module, {.token = text}));
    (void)identity;
    return Claim{.resource = token.resource, .rights = 0, .expiry_s = token.expiry_s};
}

base::Result<Claim> ClaimJudge::judge_plain(std::string_view user,
                                            std::string_view password) const {
    const auto name = user.substr(0, user.find('@'));
    if (password.starts_with("SharedAccessSignature ")) {
        MITRAL_TRY(const auto token, azure::parse_token(password));
        if (token.policy != name)
            return refused("user name and token differ");
        return judge(password);
    }
    MITRAL_TRY(const auto policy, policies_.find(hub::hub_service, name));
    if (!policy)
        return refused("unknown policy");
    const bool known = same_text(password, policy->primary_key);
    if (!(same_text(password, policy->secondary_key) || known))
        return refused("wrong key");
    return Claim{.resource = "*",
                 .rights = policy->rights,
                 .expiry_s = std::numeric_limits<std::int32_t>::max()};
}

bool Claims::add(Claim claim) {
    const auto same = [&](const Claim& known) { return known.resource == claim.resource; };
    if (const auto known = std::find_if(claims_.begin(), claims_.end(), same);
        known != claims_.end()) {
        *known = std::move(claim);
        return true;
    }
    if (claims_.size() >= limit)
        return false;
    claims_.push_back(std::move(claim));
    return true;
}

std::optional<std::int64_t> Claims::first_expiry_s() const {
    const auto first = std::ranges::min_element(claims_, {}, &Claim::expiry_s);
    return first == claims_.end() ? std::nullopt : std::optional(first->expiry_s);
}

bool Claims::drop_ended(std::int64_t before_s) {
    return std::erase_if(claims_, [&](const Claim& claim) { return claim.expiry_s < before_s; }) >
           0;
}

std::optional<std::int64_t> Claims::allowed_until(std::string_view path,
                                                  std::uint32_t rights) const {
    std::optional<std::int64_t> until;
    for (const auto& claim : claims_) {
        // The host was checked when the token was judged, and may go by several names.
        const auto host = hub::Hosts::host_of(claim.resource);
        const auto wanted = std::string(host) + "/" + std::string(path);
        const bool covers = claim.resource == "*" || azure::covers(claim.resource, wanted);
        if (covers && (claim.rights & rights) == rights)
            until = std::max(until.value_or(0), claim.expiry_s);
    }
    return until;
}

}  // namespace mitral::cloud::amqp
