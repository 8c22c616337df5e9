// The registration of one unit with the Device Provisioning Service: register, poll, judge the
// answer.
#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "enrol/backoff.hpp"
#include "enrol/https.hpp"
#include "vault/client.hpp"

namespace mitral::enrol {

struct RegistrationOptions {
    base::Seconds token_lifetime{600};
    base::Milliseconds give_up_after{600'000};  // on the monotonic clock, waits included
    base::Milliseconds first_wait{1'000};
    base::Milliseconds longest_wait{60'000};
    // Ask the vault whether the hub is on the unit's signed list (a token of one second's life).
    // Takes the right mint-hub, which enrol otherwise has no use for. Without it the vault still
    // refuses every token for a foreign hub: the uplink then says so.
    bool confirm_hub = false;
};

// What the registration needs from the world; tests replace each part.
struct Surroundings {
    Https& https;
    vault::Client& vault;
    const base::Clock& clock;
    std::function<void(base::Milliseconds)> wait;
    Backoff::Random random;
};

struct Outcome {
    std::string hub;  // lower case, ":port" included if it was
    std::string device_id;
    std::string substatus;
    // The vault said that the hub is on the unit's list.
    bool hub_confirmed = false;
};

// Tries again, with back-off, on what may pass (network, 429, 5xx, an occasional 401); everything
// else ends it at once, with a line that names cause and remedy. Never logs or returns the token.
[[nodiscard]] base::Result<Outcome> register_unit(const Surroundings& surroundings,
                                                  const RegistrationOptions& options);

// The identity must be one that may register, and `server` the one it was provisioned for: the
// vault's copy was signed by the station, the configuration was not.
[[nodiscard]] base::Status check_identity(const vault::VaultStatus& status);
[[nodiscard]] base::Status check_server(const vault::VaultStatus& status,
                                        const net::Endpoint& server);

}  // namespace mitral::enrol
