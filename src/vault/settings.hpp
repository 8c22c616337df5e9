// The [vault] table of mitral.toml (docs: mitral-vault.8).
#pragma once

#include <string>

#include "base/config.hpp"
#include "base/crypto.hpp"
#include "vault/rate_limit.hpp"
#include "vault/rights.hpp"

namespace mitral::vault {

struct Settings {
    std::string socket;
    std::string state;    // directory
    std::string backend;  // "tpm", "optee", "software"
    std::string tcti;     // how to reach the TPM, as tss2-tctildr(7) writes it
    base::Ed25519PublicKey station_key{};
    std::string user;  // to become when started as root
    Limits rate;
    RightsTable rights;
};

[[nodiscard]] base::Result<Settings> read_settings(const base::Config& config);

}  // namespace mitral::vault
