// What the uplink wants of the vault, over connections that are made again when the vault
// was restarted. Blocking; one per thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/keys.hpp"
#include "vault/client.hpp"
#include "vault/evidence_client.hpp"

namespace mitral::uplink {

class VaultSession final : public spool::KeyOpener {
  public:
    using Connect = std::function<base::Result<std::unique_ptr<vault::Client>>()>;
    using ConnectEvidence = std::function<base::Result<std::unique_ptr<vault::EvidenceClient>>()>;
    explicit VaultSession(Connect connect, ConnectEvidence connect_evidence = {})
        : connect_(std::move(connect)), connect_evidence_(std::move(connect_evidence)) {}

    [[nodiscard]] base::Result<vault::Token> mint(const std::string& hub, base::Seconds lifetime);
    [[nodiscard]] base::Result<base::Secret> open_segment_key(base::ByteView wrapped) override;
    [[nodiscard]] base::Result<base::Bytes> checkpoint(const attest::Report& report);

  private:
    template <typename Call>
    auto ask(Call call) -> decltype(call(std::declval<vault::Client&>()));

    Connect connect_;
    std::unique_ptr<vault::Client> client_;
    ConnectEvidence connect_evidence_;
    std::unique_ptr<vault::EvidenceClient> evidence_client_;
};

}  // namespace mitral::uplink
