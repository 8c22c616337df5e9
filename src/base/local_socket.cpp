#include "base/local_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/errors.hpp"

namespace mitral::base {
namespace {

constexpr int backlog = 64;
constexpr const char* without_directory =
    ": make its directory first (systemd-tmpfiles --create mitral.conf makes the installed ones)";

Result<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return fail(BaseError::invalid_setting,
                    "socket path '" + path + "' is empty or longer than " +
                        std::to_string(sizeof address.sun_path - 1) + " bytes");
    std::copy(path.begin(), path.end(), address.sun_path);
    return address;
}

Result<UniqueFd> listen_on(const std::string& path, int type, mode_t mode) {
    MITRAL_TRY(const auto address, address_of(path));
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid())
        return fail_errno("create socket " + path);
    // Only a socket is removed: a wrong setting must not delete a file.
    struct stat status{};
    if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode))
        (void)::unlink(path.c_str());
    // The socket is born with its mode: a chmod by path afterwards could be led elsewhere by
    // whoever owns the directory.
    const mode_t former = ::umask(0777 & ~mode);
    const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int bind_errno = errno;
    ::umask(former);
    if (bound != 0)
        return fail_errno(bind_errno, bind_errno == ENOENT
                                          ? "bind socket " + path + without_directory
                                          : "bind socket " + path);
    if (::listen(fd.get(), backlog) != 0)
        return fail_errno("listen on " + path);
    return fd;
}

Status set_timeout(int fd, Milliseconds timeout) {
    const timeval value{timeout.count() / 1000, (timeout.count() % 1000) * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value) != 0)
        return fail_errno("set the timeout of a local socket");
    return {};
}

}  // namespace

Result<UniqueFd> listen_seqpacket(const std::string& path, mode_t mode) {
    return listen_on(path, SOCK_SEQPACKET, mode);
}

Result<UniqueFd> listen_stream(const std::string& path, mode_t mode) {
    return listen_on(path, SOCK_STREAM, mode);
}

Result<UniqueFd> connect_seqpacket(const std::string& path, Milliseconds timeout) {
    MITRAL_TRY(const auto address, address_of(path));
    UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd.valid())
        return fail_errno("create socket");
    MITRAL_CHECK(set_timeout(fd.get(), timeout));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail_errno("connect to " + path);
    return fd;
}

Result<UniqueFd> accept_connection(int listener) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid())
        return fail_errno("accept");
    return fd;
}

Result<PeerCredentials> peer_credentials(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return fail_errno("read the peer's credentials");
    return PeerCredentials{credentials.uid, credentials.gid, credentials.pid};
}

Status send_datagram(int fd, ByteView message) {
    if (message.size() > max_datagram)
        return fail(BaseError::too_large, "local message");
    while (true) {
        if (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) >= 0)
            return {};
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return fail(BaseError::timed_out, "send a local message");
        return fail_errno("send a local message");
    }
}

Result<Bytes> receive_datagram(int fd) {
    Bytes message(max_datagram + 1);  // one more byte tells an oversized datagram apart
    while (true) {
        const ssize_t count = ::recv(fd, message.data(), message.size(), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return fail(BaseError::timed_out, "receive a local message");
        if (count < 0)
            return fail_errno("receive a local message");
        if (static_cast<std::size_t>(count) > max_datagram)
            return fail(BaseError::too_large, "local message");
        message.resize(static_cast<std::size_t>(count));
        return message;
    }
}

}  // namespace mitral::base
