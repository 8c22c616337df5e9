// The Trusted Application's rules in this process, over a zone of files: what the suite tests
// through the `optee` back end where there is no secure world. Each channel is a new start of it.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "vault/optee/channel.hpp"

namespace mitral::test {

// Power goes at one call of the platform: from there on every call fails until the next start.
struct PowerCut {
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    std::size_t at = never;  // counted from 0 over all calls
    bool after = false;      // the call still has its effect, nobody hears of it
    std::size_t calls = 0;   // made so far
    std::function<void(std::uint32_t command, base::ByteView reply)> on_reply;
};

// What platforms do differently.
struct HostMode {
    std::optional<base::Ed25519PublicKey> station_key;  // built in; none: any station provisions
    bool deletes_damaged = false;                       // OP-TEE's core does
    bool refuses_storage = false;  // what OP-TEE says of storage that is gone or rolled back
};

// `cut` and `clock` must outlive the channel; no cut: nothing fails; no clock: this machine's.
[[nodiscard]] base::Result<std::unique_ptr<vault::optee::Channel>> open_host_channel(
    const std::string& directory, base::ByteView hardware_key, PowerCut* cut = nullptr,
    const base::Clock* clock = nullptr, const HostMode& mode = {});

}  // namespace mitral::test
