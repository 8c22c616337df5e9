#include "vault/evidence_client.hpp"

#include <utility>

namespace mitral::vault {
namespace {

class SocketEvidenceClient final : public EvidenceClient {
  public:
    explicit SocketEvidenceClient(Connection connection) : connection_(std::move(connection)) {}

    base::Result<base::Bytes> checkpoint(const attest::Report& report) override {
        if (report.lanes.size() > EVIDENCE_MAX_LANES)
            return base::fail(
                VaultError::malformed,
                "a checkpoint has room for " + std::to_string(EVIDENCE_MAX_LANES) + " lanes");
        return ask(Operation::checkpoint, encode(report));
    }
    base::Result<base::Bytes> attest(const AttestationNonce& nonce) override {
        return ask(Operation::attest, base::Bytes(nonce.begin(), nonce.end()));
    }

  private:
    [[nodiscard]] base::Result<base::Bytes> ask(Operation operation, base::Bytes blob) {
        Request request;
        request.operation = operation;
        request.blob = std::move(blob);
        MITRAL_TRY(const auto reply, connection_.ask(request));
        return decode_evidence_reply(reply.view());
    }

    Connection connection_;
};

}  // namespace

base::Result<std::unique_ptr<EvidenceClient>> EvidenceClient::connect(
    const std::string& socket_path, base::Milliseconds timeout) {
    MITRAL_TRY(auto connection, Connection::open(socket_path, timeout));
    return std::make_unique<SocketEvidenceClient>(std::move(connection));
}

}  // namespace mitral::vault
