// What happens at a station, where a unit gets its identity: derive the device's key from the
// group's, wrap it for this unit's trust zone, sign the orders. Runs in the station's process,
// which rightly holds keys; nothing of this is part of a gateway's daemons.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/client.hpp"
#include "vault/order.hpp"
#include "vault/statement.hpp"

namespace mitral::vault {

struct StationRequest {
    const base::Secret& station_key;  // Ed25519
    const base::Secret& group_key;    // DPS group enrolment, decoded
    std::string registration_id;
    Policy policy;
    base::WallTime now;  // the station's clock: becomes the unit's time floor
    const base::Secret* subject_key = nullptr;  // the hospital's, for pseudonyms; or none
};

// begin_provisioning, derive, wrap, sign, execute. The whole of it for one unit.
[[nodiscard]] base::Status provision_unit(Client& vault, const StationRequest& request);

// The device's key and, where the back end needs them, its modules', for the trust zone that made
// the statement. The caller ensures that the statement comes from the unit it means.
// With `optee` they open for this registration id alone.
[[nodiscard]] base::Result<std::vector<WrappedKey>> wrap_keys(
    const Statement& statement, std::string_view registration_id, base::ByteView device_key,
    const std::vector<std::string>& modules);

// The hospital's key for pseudonyms (subject_key_size bytes), for the same trust zone.
[[nodiscard]] base::Result<base::Bytes> wrap_subject_key(const Statement& statement,
                                                         std::string_view registration_id,
                                                         base::ByteView key);

// A counter above every one a station with a sane clock has given before: milliseconds since 1970.
[[nodiscard]] std::uint64_t order_counter(base::WallTime now) noexcept;

[[nodiscard]] base::Result<base::Bytes> provision_order(const Statement& statement,
                                                        const StationRequest& request);

}  // namespace mitral::vault
