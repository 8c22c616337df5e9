#include "base/seccomp_filter.hpp"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "base/errors.hpp"
#include "base/sanitizer.hpp"
#include "base/seccomp_lists.hpp"

namespace mitral::base {
namespace {

using Conditions = std::initializer_list<scmp_arg_cmp>;

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}
// For `int` arguments: the upper half of the register is not part of the value.
scmp_arg_cmp int_equals(unsigned argument, std::uint32_t value) {
    return bits(argument, 0xffffffffU, value);
}

class Filter {
  public:
    Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release) {}

    [[nodiscard]] bool valid() const { return context_ != nullptr; }

    void attribute(scmp_filter_attr name, std::uint32_t value) {
        note(seccomp_attr_set(context_.get(), name, value), "attribute");
    }

    // Names this architecture or this libseccomp does not know are skipped: what cannot be named
    // keeps the default answer.
    void allow(const char* name, Conditions conditions = {}) {
        add(SCMP_ACT_ALLOW, name, conditions);
    }
    void allow(std::span<const char* const> names) {
        for (const char* name : names)
            allow(name);
    }
    void kill(std::span<const char* const> names) {
        for (const char* name : names)
            add(SCMP_ACT_KILL_PROCESS, name, {});
    }
    void absent(std::span<const char* const> names) {
        for (const char* name : names)
            add(SCMP_ACT_ERRNO(ENOSYS), name, {});
    }

    // Numbers are the same on every architecture from 424 on. The C library tries new calls first
    // and understands only ENOSYS as "use the old one".
    void absent_if_young() {
        for (int number = 424; number < 600; ++number) {
            if (!seen_.contains(number))
                note(seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(ENOSYS), number, 0,
                                            nullptr),
                     "young call");
        }
    }

    [[nodiscard]] Status load() {
        if (error_ == 0)
            note(seccomp_load(context_.get()), "load");
        if (error_ != 0)
            return fail_errno(error_, "seccomp filter (" + what_ + ")");
        return {};
    }

  private:
    void add(std::uint32_t action, const char* name, Conditions conditions) {
        const int number = seccomp_syscall_resolve_name(name);
        if (number < 0)
            return;
        if (!seen_.insert(number).second && conditions.size() == 0)
            return;  // on two lists; the first decides
        note(seccomp_rule_add_array(context_.get(), action, number,
                                    static_cast<unsigned>(conditions.size()), conditions.begin()),
             name);
    }

    void note(int result, const char* what) {
        if (result == 0 || error_ != 0)
            return;
        error_ = -result;
        what_ = what;
    }

    std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
    std::set<int> seen_;
    int error_ = 0;
    std::string what_;
};

// Memory is writable or executable, never both, and nothing becomes executable after it was mapped.
void allow_memory(Filter& filter) {
    constexpr std::uint64_t both = PROT_WRITE | PROT_EXEC;
    if (under_sanitizer) {
        filter.allow("mmap");
        filter.allow("mprotect");
        return;
    }
    for (const char* map : {"mmap", "mmap2"}) {
        filter.allow(map, {bits(2, both, 0)});
        filter.allow(map, {bits(2, both, PROT_WRITE)});
        filter.allow(map, {bits(2, both, PROT_EXEC)});
    }
    filter.allow("mprotect", {bits(2, PROT_EXEC, 0)});
}

// Protocols are named because Landlock guards TCP alone: MPTCP or SCTP would reach any port.
void allow_inet(Filter& filter, std::uint32_t family) {
    constexpr std::uint32_t type_mask = ~static_cast<std::uint32_t>(SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (const auto& [type, protocol] :
         {std::pair{SOCK_STREAM, IPPROTO_TCP}, std::pair{SOCK_DGRAM, IPPROTO_UDP}}) {
        for (const auto wanted : {std::uint32_t{0}, static_cast<std::uint32_t>(protocol)})
            filter.allow("socket", {int_equals(0, family),
                                    bits(1, type_mask, static_cast<std::uint64_t>(type)),
                                    int_equals(2, wanted)});
    }
}

void allow_sockets(Filter& filter, bool internet) {
    filter.allow("socket", {int_equals(0, AF_UNIX)});
    filter.allow("socketpair", {int_equals(0, AF_UNIX)});
    if (internet) {
        allow_inet(filter, AF_INET);
        allow_inet(filter, AF_INET6);
        // getaddrinfo() asks which addresses this machine has.
        filter.allow("socket", {int_equals(0, AF_NETLINK), int_equals(2, NETLINK_ROUTE)});
    }
    // TCP Fast Open connects inside a send and so passes Landlock's check of connect() by.
    filter.allow("sendto", {bits(3, MSG_FASTOPEN, 0)});
    filter.allow("sendmsg", {bits(2, MSG_FASTOPEN, 0)});
    filter.allow("sendmmsg", {bits(3, MSG_FASTOPEN, 0)});
}

void allow_prctl(Filter& filter) {
    for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_PDEATHSIG,
                             PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS, PR_CAPBSET_READ, 0x53564d41})
        filter.allow("prctl",
                     {int_equals(0, static_cast<std::uint32_t>(option))});  // last: PR_SET_VMA
    filter.allow("prctl", {int_equals(0, PR_SET_DUMPABLE), equals(1, 0)});
}

// What isatty(), OpenSSL and libcurl ask; above all not TIOCSTI, which types into a terminal.
void allow_ioctl(Filter& filter, const std::vector<std::uint32_t>& device_requests) {
    for (const std::uint32_t request :
         {static_cast<std::uint32_t>(FIONREAD), static_cast<std::uint32_t>(FIONBIO),
          static_cast<std::uint32_t>(FIOCLEX), static_cast<std::uint32_t>(TCGETS),
          static_cast<std::uint32_t>(TIOCGWINSZ)})
        filter.allow("ioctl", {int_equals(1, request)});
    for (const auto request : device_requests)
        filter.allow("ioctl", {int_equals(1, request)});
}

void allow_processes(Filter& filter, bool execute) {
    constexpr std::uint64_t thread =
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const auto self = static_cast<std::uint32_t>(getpid());
    if (execute || under_sanitizer) {
        filter.allow(seccomp_lists::process_calls);
    } else {
        filter.allow("clone", {bits(0, thread, thread)});
        filter.allow("kill", {int_equals(0, self)});
        filter.allow("tgkill", {int_equals(0, self)});
    }
    if (execute)
        filter.allow(seccomp_lists::execute_calls);
    // Limits and scheduling of this process only.
    filter.allow("prlimit64", {int_equals(0, 0)});
    filter.allow("sched_setaffinity", {int_equals(0, 0)});
}

void forbid(Filter& filter) {
    filter.kill(seccomp_lists::hostile);
    if (under_sanitizer)
        filter.allow(seccomp_lists::sanitizer_calls);
    else
        filter.kill(seccomp_lists::tracing);
    // The flags of clone3 lie in memory, where no filter can read them.
    static constexpr const char* unreadable[] = {"clone3"};
    filter.absent(unreadable);
    filter.absent_if_young();
}

}  // namespace

Status apply_seccomp_filter(const SeccompPolicy& policy) {
    Filter filter;
    if (!filter.valid())
        return fail(BaseError::not_supported, "libseccomp could not start a filter");
    filter.attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    filter.attribute(SCMP_FLTATR_CTL_TSYNC, 1);
    filter.attribute(SCMP_FLTATR_CTL_OPTIMIZE,
                     2);  // a binary tree: no cost that grows with the list
    filter.allow(seccomp_lists::everyday);
    allow_memory(filter);
    allow_sockets(filter, policy.internet);
    allow_prctl(filter);
    allow_ioctl(filter, policy.device_requests);
    allow_processes(filter, policy.execute);
    forbid(filter);
    return filter.load();
}

}  // namespace mitral::base
