#include "mitral/provision.hpp"

#include "azure/ids.hpp"
#include "azure/text.hpp"
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "mitral/secret_files.hpp"
#include "vault/errors.hpp"
#include "vault/station.hpp"

namespace mitral::cli {

base::Result<vault::Policy> make_policy(const ProvisionArguments& arguments) {
    vault::Policy policy;
    policy.id_scope = arguments.id_scope;
    policy.dps_host = azure::to_lower(arguments.dps_host);
    MITRAL_CHECK(azure::check_id_scope(policy.id_scope));
    MITRAL_CHECK(azure::check_host(policy.dps_host));
    for (const auto& hub : arguments.hubs) {
        policy.hubs.push_back(azure::to_lower(hub));
        MITRAL_CHECK(azure::check_host(policy.hubs.back()));
    }
    policy.modules = arguments.modules;
    policy.quarantine_module = arguments.quarantine_module;
    policy.max_lifetime_s = arguments.max_lifetime_s;
    if (!arguments.fleet_key_file.empty()) {
        MITRAL_TRY(policy.fleet_key, read_public_key(arguments.fleet_key_file));
    }
    if (!arguments.time_key_file.empty()) {
        MITRAL_TRY(policy.time_key, read_public_key(arguments.time_key_file));
    }
    policy.allowance_s =
        arguments.allowance_s.value_or(default_allowance_s(policy.time_key.has_value()));
    return policy;
}

base::Status provision(const std::string& vault_socket, const ProvisionArguments& arguments) {
    MITRAL_CHECK(azure::check_registration_id(arguments.registration_id));
    // DPS knows no case in these ids, IoT Hub does: one spelling keeps the two in step.
    if (azure::normal_registration_id(arguments.registration_id) != arguments.registration_id)
        return base::fail(base::BaseError::invalid_setting,
                          "write the registration id in lower case: DPS stores it so");
    MITRAL_TRY(auto policy, make_policy(arguments));
    MITRAL_TRY(const auto station_key, read_station_key(arguments.station_key_file));
    MITRAL_TRY(const auto group_key, read_group_key(arguments.group_key_file));
    base::Secret subject_key;
    if (!arguments.subject_key_file.empty()) {
        MITRAL_TRY(subject_key, read_subject_key(arguments.subject_key_file));
    }
    const base::SystemClock clock;
    if (clock.state() == base::ClockState::implausible)
        return base::fail(
            vault::VaultError::clock_refused,
            "the station's clock is wrong; it becomes the unit's time floor: set it first");
    MITRAL_TRY(const auto vault, vault::Client::connect(vault_socket));
    return vault::provision_unit(
        *vault, {station_key, group_key, arguments.registration_id, std::move(policy), clock.wall(),
                 subject_key.empty() ? nullptr : &subject_key});
}

}  // namespace mitral::cli
