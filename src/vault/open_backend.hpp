// Chooses the back end that the configuration names.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/sandbox.hpp"
#include "vault/backend.hpp"
#include "vault/settings.hpp"

namespace mitral::vault {

// What the daemon may reach once it is up: its state, and the trust zone.
[[nodiscard]] base::Result<base::SandboxPolicy> backend_sandbox(const Settings& settings);

[[nodiscard]] base::Result<std::unique_ptr<Backend>> open_backend(const Settings& settings,
                                                                  const base::Clock& clock);

}  // namespace mitral::vault
