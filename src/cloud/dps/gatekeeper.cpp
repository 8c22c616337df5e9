#include "cloud/dps/gatekeeper.hpp"

#include "azure/ids.hpp"
#include "azure/text.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud::dps {
namespace {

auto refused(std::string reason) {
    return base::fail(CloudError::not_authorised, std::move(reason));
}

base::Status check_name(const Claim& claim) {
    MITRAL_TRY(const auto name, tls::common_name(claim.certificates.front()));
    if (!azure::equal_ignoring_case(name, claim.registration_id))
        return refused("the certificate names another registration id");
    return {};
}

base::Result<std::string> thumbprint_of(const std::string& pem) {
    if (pem.empty())
        return std::string();
    MITRAL_TRY(auto facts, tls::read_certificate(pem));
    return std::move(facts).sha256;
}

}  // namespace

base::Result<Admitted> Gatekeeper::admit(const Claim& claim) const {
    if (claim.id_scope != id_scope_)
        return refused("unknown id scope");
    if (!azure::check_registration_id(claim.registration_id))
        return refused("bad registration id");
    if (claim.token.empty() && claim.certificates.empty())
        return refused("neither token nor certificate");
    if (claim.token.empty())
        MITRAL_CHECK(check_name(claim));
    MITRAL_TRY(const auto individual,
               enrollments_.find(EnrollmentKind::individual, claim.registration_id));
    if (individual)
        return try_individual(*individual, claim);
    return try_groups(claim);
}

base::Result<Admitted> Gatekeeper::try_groups(const Claim& claim) const {
    MITRAL_TRY(const auto groups, enrollments_.groups());
    auto nearest = base::Result<Admitted>(refused("no enrolment for this registration id"));
    for (const auto& group : groups) {
        auto found = try_group(group, claim);
        if (nearest && (!found || found->authority_distance >= nearest->authority_distance))
            continue;
        nearest = std::move(found);
        if (nearest && nearest->authority_distance == 0)
            break;
    }
    return nearest;
}

base::Result<Admitted> Gatekeeper::try_individual(const Enrollment& entry,
                                                  const Claim& claim) const {
    MITRAL_TRY(auto authentication,
               claim.token.empty() ? own_certificate(entry, claim) : own_key(entry, claim));
    return Admitted{.enrollment = entry,
                    .device_id = entry.device.empty() ? entry.id : entry.device,
                    .authentication = std::move(authentication)};
}

base::Result<Admitted> Gatekeeper::try_group(const Enrollment& group, const Claim& claim) const {
    Admitted admitted{.enrollment = group,
                      .device_id = azure::normal_registration_id(claim.registration_id)};
    if (!claim.token.empty()) {
        MITRAL_TRY(admitted.authentication, member_key(group, claim));
        return admitted;
    }
    MITRAL_TRY(admitted.authority_distance, authority_distance(group, claim));
    // The hub takes exactly the certificate that was shown here, as Azure arranges it: a new one is
    // registered anew.
    admitted.authentication.type = hub::Authentication::self_signed;
    admitted.authentication.primary_thumbprint = tls::sha256_thumbprint(claim.certificates.front());
    return admitted;
}

base::Result<hub::Authentication> Gatekeeper::own_key(const Enrollment& entry,
                                                      const Claim& claim) const {
    if (entry.attestation != Attestation::symmetric_key)
        return refused("this enrolment takes a certificate, no token");
    MITRAL_TRY(const auto primary, base::secret_from_base64(entry.primary_key));
    MITRAL_TRY(const auto secondary, base::secret_from_base64(entry.secondary_key));
    MITRAL_CHECK(verify(claim, primary.view(), secondary.view()));
    return hub::Authentication{.primary_key = entry.primary_key,
                               .secondary_key = entry.secondary_key};
}

base::Result<hub::Authentication> Gatekeeper::member_key(const Enrollment& group,
                                                         const Claim& claim) const {
    if (group.attestation != Attestation::symmetric_key)
        return refused("the group takes certificates, no tokens");
    MITRAL_TRY(const auto primary, base::secret_from_base64(group.primary_key));
    MITRAL_TRY(const auto secondary, base::secret_from_base64(group.secondary_key));
    const auto device_primary = azure::derive_device_key(primary.view(), claim.registration_id);
    const auto device_secondary = azure::derive_device_key(secondary.view(), claim.registration_id);
    MITRAL_CHECK(verify(claim, device_primary.view(), device_secondary.view()));
    return hub::Authentication{.primary_key = base::to_base64(device_primary.view()),
                               .secondary_key = base::to_base64(device_secondary.view())};
}

base::Result<hub::Authentication> Gatekeeper::own_certificate(const Enrollment& entry,
                                                              const Claim& claim) const {
    if (entry.attestation != Attestation::x509)
        return refused("this enrolment takes a token, no certificate");
    hub::Authentication authentication{.type = std::string(hub::Authentication::self_signed)};
    MITRAL_TRY(authentication.primary_thumbprint, thumbprint_of(entry.primary_certificate));
    MITRAL_TRY(authentication.secondary_thumbprint, thumbprint_of(entry.secondary_certificate));
    const auto& leaf = claim.certificates.front();
    if (!tls::has_thumbprint(leaf, authentication.primary_thumbprint) &&
        !tls::has_thumbprint(leaf, authentication.secondary_thumbprint))
        return refused("the certificate is not the enrolled one");
    MITRAL_CHECK(tls::check_dates(leaf, clock_.wall()));
    return authentication;
}

base::Result<int> Gatekeeper::authority_distance(const Enrollment& group,
                                                 const Claim& claim) const {
    if (group.attestation != Attestation::x509)
        return refused("the group takes tokens, no certificates");
    MITRAL_TRY(const auto anchors, anchors_of(group));
    return tls::check_chain(claim.certificates, anchors, clock_.wall());
}

base::Result<std::vector<std::string>> Gatekeeper::anchors_of(const Enrollment& group) const {
    std::vector<std::string> anchors;
    for (const auto& pem : {group.primary_certificate, group.secondary_certificate})
        if (!pem.empty())
            anchors.push_back(pem);
    for (const auto& name : {group.primary_reference, group.secondary_reference}) {
        if (name.empty())
            continue;
        MITRAL_TRY(const auto authority, authorities_.find(name));
        if (authority)
            anchors.push_back(authority->pem);
    }
    return anchors;
}

base::Status Gatekeeper::verify(const Claim& claim, base::ByteView primary,
                                base::ByteView secondary) const {
    MITRAL_TRY(const auto token, azure::parse_token(claim.token));
    const auto wanted =
        std::string(claim.id_scope) + "/registrations/" + std::string(claim.registration_id);
    if (token.policy != azure::registration_policy)
        return refused("token is not for a registration");
    return azure::verify_token(
        token, {primary, secondary},
        {.wanted = wanted, .now_s = clock_.wall().unix_seconds(), .skew = skew_});
}

}  // namespace mitral::cloud::dps
