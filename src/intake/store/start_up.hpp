// What every adapter does before it enters its cage.
#pragma once

#include "base/result.hpp"
#include "base/sandbox.hpp"
#include "intake/store/adapter_settings.hpp"

namespace mitral::intake {

// Makes the spool's directory, which the sandbox has to name, and gives it to who will write in it.
// Fills in the group that may read it.
[[nodiscard]] base::Status prepare_spool(AdapterSettings& settings);

// The adapter's own user, its spool and its status file; no network. Precondition: prepare_spool().
[[nodiscard]] base::SandboxPolicy sandbox_policy(const AdapterSettings& settings);

}  // namespace mitral::intake
