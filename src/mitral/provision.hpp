// `mitral provision`: the development station. In production this is the factory's work; the group
// key never comes near a unit there.
#pragma once

#include <cstdint>
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
    std::uint32_t allowance_s = 400 * 86'400;  // until signed time raises the floor (mitral-timed)
};

// The policy these arguments describe, in the spelling that the vault compares.
[[nodiscard]] base::Result<vault::Policy> make_policy(const ProvisionArguments& arguments);

[[nodiscard]] base::Status provision(const std::string& vault_socket,
                                     const ProvisionArguments& arguments);

}  // namespace mitral::cli
