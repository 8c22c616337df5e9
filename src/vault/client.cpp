#include "vault/client.hpp"

#include <utility>

#include "vault/connection.hpp"
#include "vault/errors.hpp"

namespace mitral::vault {
namespace {

class SocketClient final : public Client {
  public:
    explicit SocketClient(Connection connection) : connection_(std::move(connection)) {}

    base::Result<Token> mint(const HubTokenRequest& request) override {
        Request message{Operation::mint_hub, request.hub, request.module_id, request.lifetime, {}};
        MITRAL_TRY(const auto reply, connection_.ask(message));
        return decode_token_reply(reply.view());
    }

    base::Result<Token> mint(const RegistrationTokenRequest& request) override {
        MITRAL_TRY(const auto reply,
                   connection_.ask({Operation::mint_registration, {}, {}, request.lifetime, {}}));
        return decode_token_reply(reply.view());
    }

    base::Result<DataKey> new_data_key() override {
        MITRAL_TRY(const auto reply, connection_.ask({Operation::new_data_key, {}, {}, {}, {}}));
        return decode_data_key_reply(reply.view());
    }

    base::Result<base::Secret> open_data_key(base::ByteView wrapped) override {
        MITRAL_TRY(const auto reply,
                   connection_.ask(
                       {Operation::open_data_key, {}, {}, {}, {wrapped.begin(), wrapped.end()}}));
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
        MITRAL_TRY(const auto reply, connection_.ask(message));
        return decode_pseudonym_reply(reply.view());
    }

    base::Result<VaultStatus> status() override {
        MITRAL_TRY(const auto reply, connection_.ask({Operation::status, {}, {}, {}, {}}));
        return decode_status_reply(reply.view());
    }

    base::Result<base::Bytes> begin_provisioning() override {
        MITRAL_TRY(const auto reply,
                   connection_.ask({Operation::begin_provisioning, {}, {}, {}, {}}));
        return decode_statement_reply(reply.view());
    }

    base::Status execute(base::ByteView order) override {
        MITRAL_TRY(
            const auto reply,
            connection_.ask({Operation::execute_order, {}, {}, {}, {order.begin(), order.end()}}));
        return decode_empty_reply(reply.view());
    }

  private:
    Connection connection_;
};

}  // namespace

base::Result<std::unique_ptr<Client>> Client::connect(const std::string& socket_path,
                                                      base::Milliseconds timeout) {
    MITRAL_TRY(auto connection, Connection::open(socket_path, timeout));
    return std::make_unique<SocketClient>(std::move(connection));
}

}  // namespace mitral::vault
