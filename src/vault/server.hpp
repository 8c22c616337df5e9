// The vault's socket: connections, one request and one reply at a time each. Single-threaded, on
// the event loop; a slow peer costs its own connection only.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "vault/service.hpp"

namespace mitral::vault {

class Server {
  public:
    static constexpr std::size_t max_connections = 64;
    static constexpr std::size_t max_connections_per_peer = 16;

    // `listener` comes from base::listen_seqpacket(). Its mode lets every local user connect;
    // whoever has no right at all is told so and gets no connection, and learns nothing else.
    [[nodiscard]] static base::Result<std::unique_ptr<Server>> start(base::UniqueFd listener,
                                                                     Service& service,
                                                                     base::EventLoop& loop);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

  private:
    struct Connection {
        base::UniqueFd fd;
        uid_t uid = 0;
    };

    Server(base::UniqueFd listener, Service& service, base::EventLoop& loop);
    void accept_one();
    void serve(int fd);
    void close(int fd) noexcept;
    void turn_away(base::UniqueFd fd);
    [[nodiscard]] bool has_room_for(uid_t uid) const;

    base::UniqueFd listener_;
    Service& service_;
    base::EventLoop& loop_;
    std::map<int, Connection> connections_;
};

}  // namespace mitral::vault
