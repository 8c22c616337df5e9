#include "base/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "base/errors.hpp"
#include "base/process.hpp"

namespace mitral::base {
namespace {

Result<gid_t> own_group(uid_t user) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(16 * 1024);
    if (getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return fail(
            BaseError::invalid_setting,
            "user " + std::to_string(user) + " has no entry in the user database: set `group` too");
    return found->pw_gid;
}

Status check_no_way_back(const Identity& identity) {
    uid_t real = 0, effective = 0, saved = 0;
    gid_t real_group = 0, effective_group = 0, saved_group = 0;
    if (getresuid(&real, &effective, &saved) != 0 ||
        getresgid(&real_group, &effective_group, &saved_group) != 0)
        return fail_errno("read the process's ids");
    const bool changed = real == identity.user && effective == identity.user &&
                         saved == identity.user && real_group == identity.group &&
                         effective_group == identity.group && saved_group == identity.group;
    if (!changed)
        return fail(BaseError::not_supported, "the change of user did not take hold");
    if (identity.user != 0 && (setuid(0) == 0 || seteuid(0) == 0))
        return fail(BaseError::not_supported, "root could be regained after the change of user");
    return {};
}

using CapabilitySets = std::array<__user_cap_data_struct, 2>;

Result<CapabilitySets> capability_sets() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    CapabilitySets sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0)
        return fail_errno("read the capabilities");
    return sets;
}

Result<bool> has_capability(unsigned capability) {
    MITRAL_TRY(const auto sets, capability_sets());
    return (sets[capability / 32].effective >> (capability % 32) & 1U) != 0;
}

Result<bool> has_any_capability() {
    MITRAL_TRY(const auto sets, capability_sets());
    return std::ranges::any_of(sets, [](const auto& set) {
        return (set.effective | set.permitted | set.inheritable) != 0;
    });
}

}  // namespace

Result<Identity> identity_of(const SandboxPolicy& policy) {
    Identity identity;
    MITRAL_TRY(identity.user, user_id(policy.user));
    if (policy.group.empty()) {
        MITRAL_TRY(identity.group, own_group(identity.user));
    } else {
        MITRAL_TRY(identity.group, group_id(policy.group));
    }
    for (const auto& name : policy.supplementary_groups) {
        MITRAL_TRY(const gid_t group, group_id(name));
        identity.supplementary.push_back(group);
    }
    return identity;
}

Status become(const Identity& identity) {
    if (setgroups(identity.supplementary.size(), identity.supplementary.data()) != 0)
        return fail_errno("set the supplementary groups");
    if (setresgid(identity.group, identity.group, identity.group) != 0)
        return fail_errno("change to group " + std::to_string(identity.group));
    if (setresuid(identity.user, identity.user, identity.user) != 0)
        return fail_errno("change to user " + std::to_string(identity.user));
    return check_no_way_back(identity);
}

Status drop_bounding_capabilities() {
    MITRAL_TRY(const bool permitted, has_capability(CAP_SETPCAP));
    if (!permitted)
        return {};  // an ordinary user; no_new_privs makes the bounding set irrelevant
    for (unsigned long capability = 0; capability < 64; ++capability) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL)  // past the last one this kernel knows
            break;
        return fail_errno("empty the capability bounding set");
    }
    return {};
}

// In a systemd unit there are none left, and its own filter may forbid even asking.
Status drop_capabilities() {
    MITRAL_TRY(const bool some, has_any_capability());
    if (!some)
        return {};
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return fail_errno("clear the ambient capabilities");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, 2> none{};
    if (syscall(SYS_capset, &header, none.data()) != 0)
        return fail_errno("drop the capabilities");
    return {};
}

}  // namespace mitral::base
