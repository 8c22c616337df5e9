// What the uplink and a verifier's courier ask of the vault: signed evidence of the trust zone's
// state (docs/formats/evidence.md). Given in every state of custody.
#pragma once

#include <array>

#include "attest/evidence.h"
#include "attest/report.hpp"
#include "vault/connection.hpp"

namespace mitral::vault {

using AttestationNonce = std::array<std::uint8_t, EVIDENCE_NONCE_SIZE>;

class EvidenceClient {
  public:
    virtual ~EvidenceClient() = default;

    // malformed: the trust zone takes no such report.
    [[nodiscard]] virtual base::Result<base::Bytes> checkpoint(const attest::Report& report) = 0;
    [[nodiscard]] virtual base::Result<base::Bytes> attest(const AttestationNonce& nonce) = 0;

    [[nodiscard]] static base::Result<std::unique_ptr<EvidenceClient>> connect(
        const std::string& socket_path, base::Milliseconds timeout = Client::usual_timeout);

  protected:
    EvidenceClient() = default;
};

}  // namespace mitral::vault
