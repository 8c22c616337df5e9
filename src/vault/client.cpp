#include "vault/client.hpp"

#include <utility>

#include "base/errors.hpp"
#include "base/local_socket.hpp"
#include "vault/errors.hpp"
#include "vault/protocol.hpp"

namespace mitral::vault {
namespace {

// A received reply, wiped after use: it may hold a key.
class Reply {
  public:
    explicit Reply(base::Bytes bytes) noexcept : bytes_(std::move(bytes)) {}
    Reply(Reply&&) noexcept = default;
    Reply& operator=(Reply&&) = delete;
    ~Reply() { base::wipe(bytes_); }
    [[nodiscard]] base::ByteView view() const noexcept { return bytes_; }

  private:
    base::Bytes bytes_;
};

class SocketClient final : public Client {
  public:
    SocketClient(std::string path, base::Milliseconds timeout, base::UniqueFd fd)
        : path_(std::move(path)), timeout_(timeout), fd_(std::move(fd)) {}

    base::Result<Token> mint(const HubTokenRequest& request) override {
        Request message{Operation::mint_hub, request.hub, request.module_id, request.lifetime, {}};
        MITRAL_TRY(const Reply reply, ask(message));
        return decode_token_reply(reply.view());
    }

    base::Result<Token> mint(const RegistrationTokenRequest& request) override {
        MITRAL_TRY(const Reply reply,
                   ask({Operation::mint_registration, {}, {}, request.lifetime, {}}));
        return decode_token_reply(reply.view());
    }

    base::Result<DataKey> new_data_key() override {
        MITRAL_TRY(const Reply reply, ask({Operation::new_data_key, {}, {}, {}, {}}));
        return decode_data_key_reply(reply.view());
    }

    base::Result<base::Secret> open_data_key(base::ByteView wrapped) override {
        MITRAL_TRY(const Reply reply,
                   ask({Operation::open_data_key, {}, {}, {}, {wrapped.begin(), wrapped.end()}}));
        return decode_key_reply(reply.view());
    }

    base::Result<Pseudonym> pseudonym(const Patient& patient) override {
        if (!is_nameable(patient))
            return base::fail(VaultError::malformed, "a patient's id and authority have at most " +
                                                         std::to_string(max_patient_text) +
                                                         " bytes each, and some");
        Request message;
        message.operation = Operation::pseudonym;
        message.patient = patient;
        MITRAL_TRY(const Reply reply, ask(message));
        return decode_pseudonym_reply(reply.view());
    }

    base::Result<VaultStatus> status() override {
        MITRAL_TRY(const Reply reply, ask({Operation::status, {}, {}, {}, {}}));
        return decode_status_reply(reply.view());
    }

    base::Result<base::Bytes> begin_provisioning() override {
        MITRAL_TRY(const Reply reply, ask({Operation::begin_provisioning, {}, {}, {}, {}}));
        return decode_statement_reply(reply.view());
    }

    base::Status execute(base::ByteView order) override {
        MITRAL_TRY(const Reply reply,
                   ask({Operation::execute_order, {}, {}, {}, {order.begin(), order.end()}}));
        return decode_empty_reply(reply.view());
    }

  private:
    base::Status reconnect() {
        auto fd = base::connect_seqpacket(path_, timeout_);
        if (!fd)
            return base::fail(VaultError::vault_unavailable,
                              "no vault answers at " + path_ +
                                  " (is mitral-vault running?): " + fd.error().message());
        fd_ = std::move(*fd);
        return {};
    }

    base::Status send(base::ByteView message) {
        // A connection from before a restart of the daemon fails here, before anything was asked:
        // one fresh connection is tried. A request that was sent is never repeated.
        if (fd_.valid() && base::send_datagram(fd_.get(), message))
            return {};
        MITRAL_CHECK(reconnect());
        const auto sent = base::send_datagram(fd_.get(), message);
        // A vault that does not know this user hangs up first; its last word is still to be read.
        if (!sent && sent.error().code != std::errc::broken_pipe)
            return lost(sent.error());
        return {};
    }

    base::Result<Reply> ask(const Request& request) {
        if (request.hub.size() + request.module_id.size() + request.blob.size() > max_message - 32)
            return base::fail(VaultError::malformed, "request is larger than the vault takes");
        MITRAL_CHECK(send(encode(request)));
        auto reply = base::receive_datagram(fd_.get());
        if (!reply)
            return lost(reply.error());
        if (reply->empty())
            return lost({make_error_code(base::BaseError::peer_closed), "it hung up"});
        return Reply(std::move(*reply));
    }

    // The connection is dropped: a late reply must not answer the next question.
    std::unexpected<base::Error> lost(const base::Error& error) {
        fd_.reset();
        return base::fail(VaultError::vault_unavailable,
                          "the vault at " + path_ + " does not answer: " + error.message());
    }

    std::string path_;
    base::Milliseconds timeout_;
    base::UniqueFd fd_;
};

}  // namespace

base::Result<std::unique_ptr<Client>> Client::connect(const std::string& socket_path,
                                                      base::Milliseconds timeout) {
    auto fd = base::connect_seqpacket(socket_path, timeout);
    if (!fd)
        return base::fail(VaultError::vault_unavailable,
                          "no vault answers at " + socket_path +
                              " (is mitral-vault running?): " + fd.error().message());
    return std::make_unique<SocketClient>(socket_path, timeout, std::move(*fd));
}

}  // namespace mitral::vault
