// `mitral order`: what station or fleet want a unit to do after it has its identity. Signed where
// the key is, carried as one line of base64, given to the vault on the unit; only the vault judges.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "mitral/provision.hpp"
#include "vault/order.hpp"

namespace mitral::cli {

struct OrderArguments {
    std::string kind;            // as vault::to_string() names it, all but "provision"
    std::string fleet_key_file;  // signs instead of about.station_key_file
    std::uint64_t counter = 0;   // 0: milliseconds since 1970
    bool signed_time = false;    // raises the unit's time floor to the signer's clock
    std::string reason;          // quarantine, wipe
    std::string statement_file;  // from print_statement() on that unit, where keys are sent:
                                 // rotate, policy with a subject key
    ProvisionArguments about;    // registration id, station key; rotate: group key, modules;
                                 // policy: the whole new policy (fleet_key_file: its public key)
};

// One line of base64.
[[nodiscard]] base::Result<std::string> sign_order(const OrderArguments& arguments,
                                                   const base::Clock& clock);
// Gives the order in `file` to the vault; returns what it was.
[[nodiscard]] base::Result<vault::Order> execute_order(const std::string& vault_socket,
                                                       const std::string& file);
// What a rotation wraps the new key for; one line of base64.
[[nodiscard]] base::Result<std::string> print_statement(const std::string& vault_socket);

}  // namespace mitral::cli
