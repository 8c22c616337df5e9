#include "vault/server.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/fail_point.hpp"
#include "base/local_socket.hpp"
#include "vault/errors.hpp"

namespace mitral::vault {

base::Result<std::unique_ptr<Server>> Server::start(base::UniqueFd listener, Service& service,
                                                    base::EventLoop& loop) {
    std::unique_ptr<Server> server(new Server(std::move(listener), service, loop));
    MITRAL_CHECK(loop.watch(server->listener_.get(), base::EventLoop::readable,
                            [raw = server.get()](std::uint32_t) { raw->accept_one(); }));
    return server;
}

Server::Server(base::UniqueFd listener, Service& service, base::EventLoop& loop)
    : listener_(std::move(listener)), service_(service), loop_(loop) {}

Server::~Server() {
    while (!connections_.empty())
        close(connections_.begin()->first);
    loop_.unwatch(listener_.get());
}

bool Server::has_room_for(uid_t uid) const {
    const auto same = std::count_if(connections_.begin(), connections_.end(),
                                    [uid](const auto& entry) { return entry.second.uid == uid; });
    return connections_.size() < max_connections &&
           static_cast<std::size_t>(same) < max_connections_per_peer;
}

void Server::accept_one() {
    auto fd = base::accept_connection(listener_.get());
    if (!fd)
        return;
    const auto peer = base::peer_credentials(fd->get());
    if (!peer)
        return service_.note_refused_connection(static_cast<uid_t>(-1));
    const bool known = service_.knows(peer->uid);
    if (!known || !has_room_for(peer->uid)) {
        service_.note_refused_connection(peer->uid);
        if (!known)
            turn_away(std::move(*fd));
        return;
    }
    const int number = fd->get();
    if (loop_.watch(number, base::EventLoop::readable,
                    [this, number](std::uint32_t) { serve(number); }))
        connections_.emplace(number, Connection{std::move(*fd), peer->uid});
}

// The one answer a stranger ever gets, then the end. What he may have sent is taken first: a socket
// closed with unread data would reset the connection and swallow the answer.
void Server::turn_away(base::UniqueFd fd) {
    constexpr int most_queued = 16;
    (void)shutdown(fd.get(), SHUT_RD);
    for (int i = 0; i < most_queued; ++i) {
        const auto unread = base::receive_datagram(fd.get());
        if (!unread || unread->empty())
            break;
    }
    const auto refusal = encode_reply(base::Error{make_error_code(VaultError::refused), {}});
    (void)base::send_datagram(fd.get(), refusal.view());
}

void Server::serve(int fd) {
    const auto connection = connections_.find(fd);
    if (connection == connections_.end())
        return;
    auto request = base::receive_datagram(fd);
    if (!request || request->empty()) {
        close(fd);
        return;
    }
    const base::Secret reply = service_.answer(connection->second.uid, *request);
    MITRAL_FAIL_POINT("vault.reply");
    // A peer that does not read its replies loses its connection, nobody else waits for it.
    if (!base::send_datagram(fd, reply.view()))
        close(fd);
}

void Server::close(int fd) noexcept {
    loop_.unwatch(fd);
    connections_.erase(fd);
}

}  // namespace mitral::vault
