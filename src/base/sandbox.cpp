#include "base/sandbox.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "base/landlock.hpp"
#include "base/privileges.hpp"
#include "base/sanitizer.hpp"
#include "base/seccomp_filter.hpp"

namespace mitral::base {
namespace {

// Landlock binds one thread; another that exists already would stay outside.
Status check_single_threaded() {
    if (under_sanitizer)
        return {};  // ThreadSanitizer keeps a thread of its own
    MITRAL_TRY(const auto threads, list_directory("/proc/self/task"));
    if (threads.size() != 1)
        return fail(BaseError::not_supported,
                    "the sandbox must be entered before threads are started");
    return {};
}

Status isolate_network() {
    if (unshare(CLONE_NEWNET) != 0)
        return fail_errno(
            "make an empty network namespace (needs CAP_SYS_ADMIN; or start as the service's user "
            "in a unit "
            "with PrivateNetwork=yes)");
    return {};
}

// dumpable also decides who may trace the process and look into its /proc entry.
Status forbid_more_privileges() {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail_errno("set no_new_privs");
    if (!under_sanitizer && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail_errno("make the process non-dumpable");
    return {};
}

}  // namespace

Result<SandboxReport> enter_sandbox(const SandboxPolicy& policy) {
    MITRAL_CHECK(check_single_threaded());
    SandboxReport report;
    const bool root = geteuid() == 0;
    std::optional<Identity> identity;
    if (root && !policy.user.empty()) {
        MITRAL_TRY(identity, identity_of(policy));
    }
    // The order matters: paths and namespaces need root, Landlock and seccomp need no_new_privs,
    // and the system calls of each step are forbidden by the last one.
    MITRAL_TRY(const auto rules, prepare_landlock(policy));
    if (root && !policy.internet) {
        MITRAL_CHECK(isolate_network());
        report.network_isolated = true;
    }
    MITRAL_CHECK(drop_bounding_capabilities());
    if (identity)
        MITRAL_CHECK(become(*identity));
    MITRAL_CHECK(drop_capabilities());
    MITRAL_CHECK(forbid_more_privileges());
    MITRAL_CHECK(apply_landlock(rules));
    report.landlock_abi = rules.abi;
    SeccompPolicy calls{
        .internet = policy.internet, .execute = policy.execute, .device_requests = {}};
    for (const auto& device : policy.devices)
        calls.device_requests.insert(calls.device_requests.end(), device.requests.begin(),
                                     device.requests.end());
    MITRAL_CHECK(apply_seccomp_filter(calls));
    report.seccomp = true;
    return report;
}

}  // namespace mitral::base
