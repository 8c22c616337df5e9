// Giving up root, for good.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.hpp"
#include "base/sandbox.hpp"

namespace mitral::base {

// Who the process becomes, looked up while the user database can still be read.
struct Identity {
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> supplementary;
};

// The identity the policy asks for; its group defaults to the user's own.
[[nodiscard]] Result<Identity> identity_of(const SandboxPolicy& policy);

// Changes real, effective and saved ids, and checks that there is no way back.
[[nodiscard]] Status become(const Identity& identity);

// Empties the bounding, ambient, inheritable, permitted and effective sets, in two halves: the
// bounding set can only be emptied while root, the others are emptied when the user has changed.
[[nodiscard]] Status drop_bounding_capabilities();
[[nodiscard]] Status drop_capabilities();

}  // namespace mitral::base
