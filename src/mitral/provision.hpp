// `mitral provision`: the development station. In production this is the factory's work; the group
// key never comes near a unit there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "vault/order.hpp"

namespace mitral::cli {

struct ProvisionArguments {
    std::string station_key_file;
    std::string group_key_file;
    std::string id_scope;
    std::string registration_id;
    std::string dps_host;
    std::vector<std::string> hubs;
    std::vector<std::string> modules;
    std::string quarantine_module;
    std::string fleet_key_file;
    std::string time_key_file;     // of the authority of signed time; empty: none
    std::string subject_key_file;  // the hospital's key for pseudonyms; empty: none
    std::uint32_t max_lifetime_s = 86'400;
    std::optional<std::uint32_t> allowance_s;  // default: default_allowance_s()
};

// Without a time authority the floor never rises by itself: 400 days of service. With one it has to
// last from a start to the first answer: a token of 24 h, the 6 h a stored floor may be behind, and
// a night on which the authority is away make 2 days.
[[nodiscard]] constexpr std::uint32_t default_allowance_s(bool time_authority) noexcept {
    return (time_authority ? 2 : 400) * 86'400;
}

// The policy these arguments describe, in the spelling that the vault compares.
[[nodiscard]] base::Result<vault::Policy> make_policy(const ProvisionArguments& arguments);

[[nodiscard]] base::Status provision(const std::string& vault_socket,
                                     const ProvisionArguments& arguments);

}  // namespace mitral::cli
