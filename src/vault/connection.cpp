#include "vault/connection.hpp"

#include <utility>

#include "base/errors.hpp"
#include "base/local_socket.hpp"
#include "vault/errors.hpp"

namespace mitral::vault {

base::Result<Connection> Connection::open(const std::string& path, base::Milliseconds timeout) {
    Connection connection(path, timeout, base::UniqueFd());
    MITRAL_CHECK(connection.reconnect());
    return connection;
}

base::Status Connection::reconnect() {
    auto fd = base::connect_seqpacket(path_, timeout_);
    if (!fd)
        return base::fail(VaultError::vault_unavailable,
                          "no vault answers at " + path_ +
                              " (is mitral-vault running?): " + fd.error().message());
    fd_ = std::move(*fd);
    return {};
}

base::Status Connection::send(base::ByteView message) {
    // A connection from before a restart of the daemon fails here, before anything was asked: one
    // fresh connection is tried.
    if (fd_.valid() && base::send_datagram(fd_.get(), message))
        return {};
    MITRAL_CHECK(reconnect());
    const auto sent = base::send_datagram(fd_.get(), message);
    // A vault that does not know this user hangs up first; its last word is still to be read.
    if (!sent && sent.error().code != std::errc::broken_pipe)
        return lost(sent.error());
    return {};
}

base::Result<base::Secret> Connection::ask(const Request& request) {
    if (request.hub.size() + request.module_id.size() + request.blob.size() > max_message - 32)
        return base::fail(VaultError::malformed, "request is larger than the vault takes");
    MITRAL_CHECK(send(encode(request)));
    auto reply = base::receive_datagram(fd_.get());
    if (!reply)
        return lost(reply.error());
    if (reply->empty())
        return lost({make_error_code(base::BaseError::peer_closed), "it hung up"});
    base::Secret secret{base::ByteView(*reply)};
    base::wipe(*reply);
    return secret;
}

// The connection is dropped: a late reply must not answer the next question.
std::unexpected<base::Error> Connection::lost(const base::Error& error) {
    fd_.reset();
    return base::fail(VaultError::vault_unavailable,
                      "the vault at " + path_ + " does not answer: " + error.message());
}

}  // namespace mitral::vault
