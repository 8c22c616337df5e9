// `mitral doctor`: examines the layers a reading passes, from the configuration up to the hub, and
// names the first one that fails. It changes nothing: tokens it asks for live for seconds and are
// thrown away, and it never connects as the device while the uplink is connected (a hub keeps one
// connection per device).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "enrol/https.hpp"
#include "mitral/finding.hpp"
#include "vault/client.hpp"

namespace mitral::cli {

struct DoctorOptions {
    std::string config_file;
    base::Milliseconds timeout{10'000};  // for each step on the network
};

// How the doctor touches the world; tests hand in their own.
struct Instruments {
    const base::Clock& clock;
    // Connects as `user`, for the vault judges peers; an empty user means as we are.
    std::function<base::Result<std::unique_ptr<vault::Client>>(const std::string& socket,
                                                               const std::string& user)>
        connect_vault;
    std::function<base::Result<std::unique_ptr<enrol::Https>>(enrol::HttpsOptions)> make_https;
};
[[nodiscard]] Instruments real_instruments(const base::Clock& clock);

// In order: configuration, permissions, disk, clock, vault, trust zone, provisioning, dns, tcp,
// tls, token, dps, hub. A layer whose ground is missing is skipped, and says which one that was.
[[nodiscard]] std::vector<Finding> examine(const DoctorOptions& options,
                                           const Instruments& instruments);

}  // namespace mitral::cli
