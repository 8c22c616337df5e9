// The list of system calls a Mitral process may make from now on. Three answers: allowed; EPERM (or
// ENOSYS, for calls younger than the list, so that the C library falls back to an older one); and
// death of the process for calls that nothing but an attacker would make.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"

namespace mitral::base {

struct SeccompPolicy {
    bool internet = false;                       // IPv4, IPv6 and route netlink sockets
    bool execute = false;                        // other programs and child processes
    std::vector<std::uint32_t> device_requests;  // of ioctl(), beside the everyday ones
};

// Irreversible, for every thread of the process; needs no_new_privs.
[[nodiscard]] Status apply_seccomp_filter(const SeccompPolicy& policy);

}  // namespace mitral::base
