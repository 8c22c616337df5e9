// Stands in for vault/client.cpp: one key for everything, a token that says nothing.
#include "base/clock.hpp"
#include "base/errors.hpp"
#include "bench/plain/marker.hpp"
#include "vault/client.hpp"

namespace mitral::vault {
namespace {

std::unexpected<base::Error> unsupported() {
    return base::fail(base::BaseError::not_supported, "bench");
}

class NoVault final : public Client {
  public:
    base::Result<Token> mint(const HubTokenRequest& request) override {
        return Token{base::Secret(base::as_bytes("none")),
                     base::SystemClock().wall().unix_seconds() + request.lifetime.count()};
    }
    base::Result<Token> mint(const RegistrationTokenRequest&) override { return unsupported(); }
    base::Result<DataKey> new_data_key() override {
        return DataKey{base::Secret(32), base::Bytes(64)};
    }
    base::Result<base::Secret> open_data_key(base::ByteView) override { return base::Secret(32); }
    base::Result<Pseudonym> pseudonym(const Patient&) override { return unsupported(); }
    base::Result<VaultStatus> status() override { return unsupported(); }
    base::Result<base::Bytes> begin_provisioning() override { return unsupported(); }
    base::Status execute(base::ByteView) override { return unsupported(); }
};

}  // namespace

base::Result<std::unique_ptr<Client>> Client::connect(const std::string&, base::Milliseconds) {
    return std::make_unique<NoVault>();
}

}  // namespace mitral::vault
