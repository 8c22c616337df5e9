#include "base/landlock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "base/errors.hpp"
#include "base/sanitizer.hpp"

namespace mitral::base {
namespace {

// Source of the values and of "since ABI n": Documentation/userspace-api/landlock.rst of Linux.
namespace right {
constexpr std::uint64_t execute = 1U << 0;
constexpr std::uint64_t write_file = 1U << 1;
constexpr std::uint64_t read_file = 1U << 2;
constexpr std::uint64_t read_dir = 1U << 3;
constexpr std::uint64_t remove_dir = 1U << 4;
constexpr std::uint64_t remove_file = 1U << 5;
constexpr std::uint64_t make_dir = 1U << 7;
constexpr std::uint64_t make_reg = 1U << 8;
constexpr std::uint64_t make_sock = 1U << 9;
constexpr std::uint64_t all_of_abi_1 = (1U << 13) - 1;
constexpr std::uint64_t refer = 1U << 13;      // ABI 2: rename or link across directories
constexpr std::uint64_t truncate = 1U << 14;   // ABI 3
constexpr std::uint64_t ioctl_dev = 1U << 15;  // ABI 5
constexpr std::uint64_t bind_tcp = 1U << 0;    // ABI 4
constexpr std::uint64_t connect_tcp = 1U << 1;
}  // namespace right

namespace scope {
constexpr std::uint64_t abstract_unix_socket = 1U << 0;  // ABI 6
constexpr std::uint64_t signal = 1U << 1;
}  // namespace scope

struct RulesetAttribute {
    std::uint64_t handled_access_fs = 0;
    std::uint64_t handled_access_net = 0;
    std::uint64_t scoped = 0;
};

struct [[gnu::packed]] PathBeneath {
    std::uint64_t allowed_access = 0;
    std::int32_t parent_fd = -1;
};

struct NetPort {
    std::uint64_t allowed_access = 0;
    std::uint64_t port = 0;
};

enum class RuleType : int { path_beneath = 1, net_port = 2 };

constexpr long create_ruleset_number = 444;  // the same on every architecture
constexpr long add_rule_number = 445;
constexpr long restrict_self_number = 446;
constexpr unsigned query_version = 1;

std::uint64_t handled_files(int abi) {
    std::uint64_t rights = right::all_of_abi_1;
    if (abi >= 2)
        rights |= right::refer;
    if (abi >= 3)
        rights |= right::truncate;
    if (abi >= 5)
        rights |= right::ioctl_dev;
    return rights;
}

RulesetAttribute handled_by(int abi) {
    RulesetAttribute attribute;
    attribute.handled_access_fs = handled_files(abi);
    if (abi >= 4)
        attribute.handled_access_net = right::bind_tcp | right::connect_tcp;
    if (abi >= 6)
        attribute.scoped = scope::abstract_unix_socket | scope::signal;
    return attribute;
}

// Older kernels refuse a structure with parts they do not know, even if those are zero-length in
// meaning.
std::size_t attribute_size(int abi) {
    if (abi >= 6)
        return sizeof(RulesetAttribute);
    return abi >= 4 ? 16 : 8;
}

constexpr std::uint64_t reading = right::read_file | right::read_dir;
constexpr std::uint64_t running = reading | right::execute;
// Everything a room does in its own state: no device nodes, no pipes, no links, no programs.
constexpr std::uint64_t writing = reading | right::write_file | right::truncate |
                                  right::remove_dir | right::remove_file | right::make_dir |
                                  right::make_reg | right::make_sock | right::refer;
constexpr std::uint64_t rights_on_a_file =
    right::execute | right::read_file | right::write_file | right::truncate | right::ioctl_dev;
constexpr std::uint64_t asking = right::read_file | right::write_file | right::ioctl_dev;

class RuleWriter {
  public:
    RuleWriter(int ruleset, int abi) : ruleset_(ruleset), abi_(abi) {}

    [[nodiscard]] Status allow(const std::string& path, std::uint64_t rights) const {
        const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
        if (!fd.valid())
            return fail_errno("sandbox path " + path);
        struct stat status{};
        if (fstat(fd.get(), &status) != 0)
            return fail_errno("sandbox path " + path);
        PathBeneath rule;
        rule.allowed_access = rights & handled_files(abi_);
        if (!S_ISDIR(status.st_mode))
            rule.allowed_access &= rights_on_a_file;
        rule.parent_fd = fd.get();
        if (syscall(add_rule_number, ruleset_, RuleType::path_beneath, &rule, 0U) != 0)
            return fail_errno("sandbox path " + path);
        return {};
    }

    // For what differs from one system to the next; what is not there cannot be misused either.
    [[nodiscard]] Status allow_if_present(const char* path, std::uint64_t rights) const {
        auto status = allow(path, rights);
        if (!status && (status.error().code == std::errc::no_such_file_or_directory ||
                        status.error().code == std::errc::not_a_directory ||
                        status.error().code == std::errc::permission_denied))
            return {};
        return status;
    }

    [[nodiscard]] Status allow_port(std::uint16_t port, std::uint64_t rights) const {
        const NetPort rule{rights, port};
        if (syscall(add_rule_number, ruleset_, RuleType::net_port, &rule, 0U) != 0)
            return fail_errno("sandbox TCP port " + std::to_string(port));
        return {};
    }

  private:
    int ruleset_;
    int abi_;
};

// What the C library, OpenSSL and tpm2-tss read behind the program's back: libraries loaded late,
// the time zone, randomness, and the process's own entry in /proc.
Status allow_runtime(const RuleWriter& rules, bool execute) {
    const auto code = execute ? running : reading;
    for (const char* path : {"/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64"})
        MITRAL_CHECK(rules.allow_if_present(path, code));
    for (const char* path :
         {"/etc/ld.so.cache", "/etc/ssl/openssl.cnf", "/etc/localtime", "/usr/share/zoneinfo",
          "/dev/urandom", "/dev/random", "/proc/self", "/proc/sys/crypto/fips_enabled"})
        MITRAL_CHECK(rules.allow_if_present(path, reading));
    MITRAL_CHECK(rules.allow_if_present("/dev/null", right::read_file | right::write_file));
    if (execute) {
        for (const char* path : {"/usr/bin", "/usr/sbin", "/usr/libexec", "/usr/local/bin"})
            MITRAL_CHECK(rules.allow_if_present(path, running));
    }
    if (under_sanitizer)  // its run-time library looks at the machine
        MITRAL_CHECK(rules.allow_if_present("/proc", reading));
    return {};
}

// Name resolution. The directories stand for resolv.conf being a link into one of them, replaced by
// rename.
Status allow_resolver(const RuleWriter& rules) {
    for (const char* path :
         {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
          "/etc/services", "/etc/protocols", "/run/systemd/resolve", "/run/NetworkManager",
          "/run/resolvconf", "/run/connman"})
        MITRAL_CHECK(rules.allow_if_present(path, reading));
    return {};
}

Status allow_ports(const RuleWriter& rules, const SandboxPolicy& policy) {
    for (const auto port : policy.tcp_connect)
        MITRAL_CHECK(rules.allow_port(port, right::connect_tcp));
    for (const auto port : policy.tcp_bind)
        MITRAL_CHECK(rules.allow_port(port, right::bind_tcp));
    if (policy.internet)  // DNS falls back to TCP for long answers
        MITRAL_CHECK(rules.allow_port(53, right::connect_tcp));
    return {};
}

}  // namespace

Result<int> landlock_abi() {
    const long version = syscall(create_ruleset_number, nullptr, std::size_t{0}, query_version);
    if (version >= 1)
        return static_cast<int>(version);
    if (errno == EPERM)
        return fail(
            BaseError::not_supported,
            "Landlock is forbidden here: allow landlock_create_ruleset, landlock_add_rule and "
            "landlock_restrict_self in the container's or the unit's system call filter");
    return fail(
        BaseError::not_supported,
        "the kernel has no Landlock: build it with CONFIG_SECURITY_LANDLOCK and name landlock in "
        "the lsm= parameter");
}

Result<LandlockRules> prepare_landlock(const SandboxPolicy& policy) {
    MITRAL_TRY(const int abi, landlock_abi());
    const RulesetAttribute attribute = handled_by(abi);
    const long fd = syscall(create_ruleset_number, &attribute, attribute_size(abi), 0U);
    if (fd < 0)
        return fail_errno("make the Landlock rule set");
    LandlockRules rules{UniqueFd(static_cast<int>(fd)), abi};

    const RuleWriter writer(rules.ruleset.get(), abi);
    MITRAL_CHECK(allow_runtime(writer, policy.execute));
    if (policy.internet)
        MITRAL_CHECK(allow_resolver(writer));
    for (const auto& path : policy.readable)
        MITRAL_CHECK(writer.allow(path, policy.execute ? running : reading));
    for (const auto& path : policy.writable)
        MITRAL_CHECK(writer.allow(path, writing));
    for (const auto& device : policy.devices)
        MITRAL_CHECK(writer.allow(device.path, asking));
    if (abi >= 4)
        MITRAL_CHECK(allow_ports(writer, policy));
    return rules;
}

Status apply_landlock(const LandlockRules& rules) {
    if (syscall(restrict_self_number, rules.ruleset.get(), 0U) != 0)
        return fail_errno("apply the Landlock rules");
    return {};
}

}  // namespace mitral::base
