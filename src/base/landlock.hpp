// Landlock through its system calls: the libc of Debian 12 has no wrappers and its headers know
// only the first versions of the interface, so the constants of linux/landlock.h stand here.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/sandbox.hpp"

namespace mitral::base {

// The version of the running kernel's interface; BaseError::not_supported when it has none.
[[nodiscard]] Result<int> landlock_abi();

struct LandlockRules {
    UniqueFd ruleset;
    int abi = 0;
};

// Opens every path of the policy, so call it while they can still be reached. A path that is
// missing is an error: a typing error in the configuration must not surface hours later as a
// refused access.
[[nodiscard]] Result<LandlockRules> prepare_landlock(const SandboxPolicy& policy);

// Binds the calling thread and its future children to the rules; needs no_new_privs.
[[nodiscard]] Status apply_landlock(const LandlockRules& rules);

}  // namespace mitral::base
