// What the vault's answers mean.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "mitral/finding.hpp"
#include "vault/client.hpp"
#include "vault/errors.hpp"

namespace mitral::cli {

using VaultAnswer = base::Result<vault::VaultStatus>;

[[nodiscard]] Finding vault_fault(const base::Error& error);
// The daemon answers, and to us.
[[nodiscard]] Finding judge_vault(const VaultAnswer& answer);
// The trust zone cannot be reached.
[[nodiscard]] Finding trust_zone_fault(const base::Error& error, const std::string& tcti);
// The trust zone behind it answers; `tcti` says how it is reached.
[[nodiscard]] Finding judge_trust_zone(const std::optional<VaultAnswer>& answer,
                                       const std::string& tcti);
[[nodiscard]] Finding judge_provisioning(const VaultAnswer& answer);
// A token of `kind` was not minted for `user`. A missing right of ours is no fault of the unit.
[[nodiscard]] Finding judge_mint_failure(const base::Error& error, std::string_view kind,
                                         const std::string& user);

[[nodiscard]] inline std::error_code vault_refusal() noexcept {
    return vault::make_error_code(vault::VaultError::refused);
}

}  // namespace mitral::cli
