#include "base/process.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "base/errors.hpp"
#include "base/fail_point.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace mitral::base {
namespace {

std::optional<unsigned> as_number(const std::string& text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace

Status harden_process() {
    MITRAL_FAIL_POINTS_JOIN();
    const rlimit no_core{0, 0};
    if (setrlimit(RLIMIT_CORE, &no_core) != 0)
        return fail_errno("forbid core dumps");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail_errno("make the process non-dumpable");
    umask(0077);
    if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return fail_errno("ignore SIGPIPE");
    return {};
}

void notify_ready() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr)
        return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return;
    std::copy_n(path, length, address.sun_path);
    if (address.sun_path[0] == '@')  // abstract socket
        address.sun_path[0] = '\0';
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    constexpr std::string_view message = "READY=1";
    (void)sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

int exit_with(std::string_view program, const Error& error) {
    (void)write_all(STDERR_FILENO, as_bytes(fmt::format("{}: {}\n", program, error.message())));
    return EXIT_FAILURE;
}

Result<unsigned> user_id(const std::string& name_or_number) {
    if (const auto number = as_number(name_or_number))
        return *number;
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(16 * 1024);
    if (getpwnam_r(name_or_number.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr)
        return fail(
            BaseError::invalid_setting,
            "no user '" + name_or_number + "' on this machine; systemd-sysusers creates it");
    return found->pw_uid;
}

Result<unsigned> group_id(const std::string& name_or_number) {
    if (const auto number = as_number(name_or_number))
        return *number;
    group entry{};
    group* found = nullptr;
    std::vector<char> buffer(16 * 1024);
    if (getgrnam_r(name_or_number.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr)
        return fail(
            BaseError::invalid_setting,
            "no group '" + name_or_number + "' on this machine; systemd-sysusers creates it");
    return found->gr_gid;
}

}  // namespace mitral::base
