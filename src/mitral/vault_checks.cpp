#include "mitral/vault_checks.hpp"

#include <fmt/format.h>

namespace mitral::cli {
namespace {

using vault::VaultError;
using vault::VaultState;

bool is_zone_error(const std::error_code& code) {
    return code == VaultError::backend_unavailable || code == VaultError::backend_failure;
}

}  // namespace

Finding vault_fault(const base::Error& error) {
    return fault(error.message(),
                 "systemctl status mitral-vault; its journal says why it does not run");
}

Finding judge_vault(const VaultAnswer& answer) {
    if (answer)
        return good("mitral-vault answers");
    if (is_zone_error(answer.error().code))
        return good("mitral-vault answers, its trust zone does not");
    if (answer.error().code == VaultError::refused)
        return fault("the vault does not know this user",
                     "run as root, or give this user the right \"status\" in [[vault.peer]]");
    return vault_fault(answer.error());
}

Finding trust_zone_fault(const base::Error& error, const std::string& tcti) {
    return fault("TPM: " + error.message(),
                 fmt::format("enable the TPM 2.0 in the firmware, or correct vault.tcti (\"{}\"); "
                             "mitral-vault must be allowed to open it (group tss); then restart "
                             "mitral-vault",
                             tcti));
}

Finding judge_trust_zone(const std::optional<VaultAnswer>& answer, const std::string& tcti) {
    if (!*answer)
        return trust_zone_fault((*answer).error(), tcti);
    const auto& status = **answer;
    if (status.backend == "software")
        return warn("software: " + status.boundary, "for development only; set backend = \"tpm\"");
    return good(fmt::format("{} answers", status.backend));
}

Finding judge_provisioning(const VaultAnswer& answer) {
    switch (answer->state) {
        case VaultState::ready:
            return good(
                fmt::format("{} in {}{}", answer->registration_id, answer->id_scope,
                            answer->pending_key ? ", a key rotation waits to be confirmed" : ""));
        case VaultState::unprovisioned:
            return fault("this unit has no identity",
                         "provision it at a station (mitral provision)");
        case VaultState::quarantined:
            return fault("this unit is in quarantine",
                         "send a signed release once the tamper is explained");
        case VaultState::wiped:
            return fault("this unit's identity was wiped", "provision it again at a station");
    }
    return fault("the vault reports an unknown state",
                 "bring mitral and mitral-vault to the same version");
}

Finding judge_mint_failure(const base::Error& error, std::string_view kind,
                           const std::string& user) {
    const auto text = fmt::format("{} token: {}", kind, error.message());
    if (error.code == VaultError::refused || error.code == std::errc::operation_not_permitted)
        return skip(fmt::format("run as root or as {} to ask for a {} token", user, kind));
    if (error.code == VaultError::clock_refused)
        return fault(
            text,
            "set the clock to the true time; if it is right, the unit needs signed time or a "
            "new allowance (signed policy order)");
    if (error.code == VaultError::not_listed)
        return fault(
            text,
            "the assigned hub is not on the unit's signed list: send a signed policy order, or "
            "find out who changed the enrolment");
    if (error.code == VaultError::rate_limited)
        return fault(text, "something asks for tokens in a loop: look into the journal");
    return fault(text, "look into the journal of mitral-vault");
}

}  // namespace mitral::cli
