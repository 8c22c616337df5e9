// The cage each process builds around itself before it touches outside input: user, network
// namespace, no new privileges, Landlock, seccomp. The systemd units add a second one around it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace mitral::base {

// A device node whose driver may be asked these ioctl() requests and no others.
struct Device {
    std::string path;
    std::vector<std::uint32_t> requests;
};

struct SandboxPolicy {
    // Become this user and group when started as root; keep the present one when empty.
    std::string user;
    std::string group;
    std::vector<std::string> supplementary_groups;

    std::vector<std::string> readable;       // files or directory trees (Landlock)
    std::vector<std::string> writable;       // directory trees: read, write, create, remove, rename
    std::vector<Device> devices;             // read, write, ask
    std::vector<std::uint16_t> tcp_connect;  // allowed destination ports; no others
    std::vector<std::uint16_t> tcp_bind;

    // Which socket families the process may open from now on (seccomp). Unix sockets are always
    // allowed; a process without `internet` is put into an empty network namespace when started as
    // root.
    bool internet = false;
    // May start other programs (execve); only mitral-cloud's launcher-like tools need it.
    bool execute = false;
};

// What took hold; status pages and tests read it. Without the kernel's help for a part, enter()
// fails: a sandbox is never silently weaker.
struct SandboxReport {
    int landlock_abi = 0;
    bool seccomp = false;
    bool network_isolated = false;
};

// Irreversible. Call once, single-threaded, after sockets and files that need more rights are open.
[[nodiscard]] Result<SandboxReport> enter_sandbox(const SandboxPolicy& policy);

}  // namespace mitral::base
