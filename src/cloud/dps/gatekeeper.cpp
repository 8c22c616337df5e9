#include "cloud/dps/gatekeeper.hpp"

#include "azure/ids.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::dps {
namespace {

auto refused(std::string reason) {
    return base::fail(CloudError::not_authorised, std::move(reason));
}

}  // namespace

base::Result<Admitted> Gatekeeper::admit(const Claim& claim) const {
    if (claim.id_scope != id_scope_)
        return refused("unknown id scope");
    if (!azure::check_registration_id(claim.registration_id))
        return refused("bad registration id");
    MITRAL_TRY(const auto token, azure::parse_token(claim.token));
    MITRAL_TRY(const auto individual,
               enrollments_.find(EnrollmentKind::individual, claim.registration_id));
    if (individual) {
        MITRAL_TRY(const auto primary, base::secret_from_base64(individual->primary_key));
        MITRAL_TRY(const auto secondary, base::secret_from_base64(individual->secondary_key));
        MITRAL_CHECK(verify(token, claim, primary.view(), secondary.view()));
        return Admitted{
            .enabled = individual->enabled,
            .device_id = individual->device.empty() ? individual->id : individual->device,
            .primary_key = individual->primary_key,
            .secondary_key = individual->secondary_key,
            .initial_twin = individual->initial_twin};
    }
    MITRAL_TRY(const auto groups, enrollments_.groups());
    auto outcome = base::Result<Admitted>(refused("no enrolment for this registration id"));
    for (const auto& group : groups) {
        outcome = try_group(group, token, claim);
        if (outcome)
            return outcome;
    }
    return outcome;
}

base::Result<Admitted> Gatekeeper::try_group(const Enrollment& group,
                                             const azure::ParsedToken& token,
                                             const Claim& claim) const {
    MITRAL_TRY(const auto primary, base::secret_from_base64(group.primary_key));
    MITRAL_TRY(const auto secondary, base::secret_from_base64(group.secondary_key));
    const auto device_primary = azure::derive_device_key(primary.view(), claim.registration_id);
    const auto device_secondary = azure::derive_device_key(secondary.view(), claim.registration_id);
    MITRAL_CHECK(verify(token, claim, device_primary.view(), device_secondary.view()));
    return Admitted{.enabled = group.enabled,
                    .device_id = azure::normal_registration_id(claim.registration_id),
                    .primary_key = base::to_base64(device_primary.view()),
                    .secondary_key = base::to_base64(device_secondary.view()),
                    .initial_twin = group.initial_twin};
}

base::Status Gatekeeper::verify(const azure::ParsedToken& token, const Claim& claim,
                                base::ByteView primary, base::ByteView secondary) const {
    const auto wanted =
        std::string(claim.id_scope) + "/registrations/" + std::string(claim.registration_id);
    if (token.policy != azure::registration_policy)
        return refused("token is not for a registration");
    return azure::verify_token(
        token, {primary, secondary},
        {.wanted = wanted, .now_s = clock_.wall().unix_seconds(), .skew = skew_});
}

}  // namespace mitral::cloud::dps
