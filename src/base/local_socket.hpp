// Local IPC: SOCK_SEQPACKET, one message a datagram, peers known by the uid the kernel reports
// (SO_PEERCRED, unix(7)).
#pragma once

#include <sys/types.h>

#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace mitral::base {

constexpr std::size_t max_datagram = 4096;  // bytes

// Binds and listens; replaces a stale socket file; non-blocking.
[[nodiscard]] Result<UniqueFd> listen_seqpacket(const std::string& path, mode_t mode);
[[nodiscard]] Result<UniqueFd> listen_stream(const std::string& path, mode_t mode);
// Blocking, with `timeout` on every later send and receive.
[[nodiscard]] Result<UniqueFd> connect_seqpacket(const std::string& path, Milliseconds timeout);
[[nodiscard]] Result<UniqueFd> accept_connection(int listener);  // non-blocking, close-on-exec

struct PeerCredentials {
    uid_t uid = 0;
    gid_t gid = 0;
    pid_t pid = 0;
};
[[nodiscard]] Result<PeerCredentials> peer_credentials(int fd);

[[nodiscard]] Status send_datagram(int fd, ByteView message);
// An empty result means the peer closed the connection; a datagram above max_datagram is an error.
[[nodiscard]] Result<Bytes> receive_datagram(int fd);

}  // namespace mitral::base
