// What a trust zone does. One folder per kind (software, tpm, later optee) with the same file
// names; no vendor type appears here. The rules of custody (lists, lifetimes, floor, state machine,
// orders) live where the key is: vault/custody for software and tpm, the Trusted Application for
// optee.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/client.hpp"
#include "vault/errors.hpp"
#include "vault/evidence_client.hpp"

namespace mitral::vault {

// Single-threaded; calls block for as long as the trust zone needs (tens of milliseconds).
class Backend {
  public:
    virtual ~Backend() = default;

    [[nodiscard]] virtual base::Result<Token> mint(const HubTokenRequest& request) = 0;
    [[nodiscard]] virtual base::Result<Token> mint(const RegistrationTokenRequest& request) = 0;
    // Works in every state: a security reaction never stops acquisition.
    [[nodiscard]] virtual base::Result<DataKey> new_data_key() = 0;
    [[nodiscard]] virtual base::Result<base::Secret> open_data_key(base::ByteView wrapped) = 0;
    // Works in quarantine, for the same reason.
    [[nodiscard]] virtual base::Result<Pseudonym> pseudonym(const Patient& patient) = 0;
    [[nodiscard]] virtual base::Result<VaultStatus> status() = 0;
    // What to send to the policy's time authority; voids the question before. not_listed: the
    // policy names no authority.
    [[nodiscard]] virtual base::Result<base::Bytes> begin_time() = 0;
    // Its answer. Raises the floor; tokens are judged by this time until it is stale. The result is
    // the earliest it can be now, Unix seconds.
    [[nodiscard]] virtual base::Result<std::int64_t> take_time(base::ByteView answer) = 0;
    // Signed evidence (attest/evidence.h), in every state. Of this report (attest/report.hpp);
    // checkpoints are numbered, and no number comes twice. malformed: that is no report.
    [[nodiscard]] virtual base::Result<base::Bytes> checkpoint(base::ByteView report) = 0;
    // Over a verifier's nonce.
    [[nodiscard]] virtual base::Result<base::Bytes> attest(const AttestationNonce& nonce) = 0;
    // A Statement (vault/statement.hpp) with a fresh nonce; the nonce before it becomes void.
    [[nodiscard]] virtual base::Result<base::Bytes> begin_provisioning() = 0;
    // A SignedOrder (vault/order.hpp).
    [[nodiscard]] virtual base::Status execute(base::ByteView signed_order) = 0;

  protected:
    Backend() = default;
};

}  // namespace mitral::vault
