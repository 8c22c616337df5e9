// The rules of custody, for trust zones that only keep keys: who may order what, which tokens may
// exist and for how long. The Trusted Application has the same rules in C; one test suite
// (tests/vault/custody_suite) runs over all of them.
#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "roughtime/clock.h"
#include "vault/backend.hpp"
#include "vault/custody_state.hpp"
#include "vault/keystore.hpp"

namespace mitral::vault {

class Custody final : public Backend {
  public:
    // `station_key` may provision this unit; once provisioned, the key that did it stays the
    // station's until a wipe. The clock must outlive the custody.
    [[nodiscard]] static base::Result<std::unique_ptr<Backend>> open(
        std::unique_ptr<KeyStore> store, const base::Ed25519PublicKey& station_key,
        const base::Clock& clock);

    [[nodiscard]] base::Result<Token> mint(const HubTokenRequest& request) override;
    [[nodiscard]] base::Result<Token> mint(const RegistrationTokenRequest& request) override;
    [[nodiscard]] base::Result<DataKey> new_data_key() override;
    [[nodiscard]] base::Result<base::Secret> open_data_key(base::ByteView wrapped) override;
    [[nodiscard]] base::Result<Pseudonym> pseudonym(const Patient& patient) override;
    [[nodiscard]] base::Result<VaultStatus> status() override;
    [[nodiscard]] base::Result<base::Bytes> begin_time() override;
    [[nodiscard]] base::Result<std::int64_t> take_time(base::ByteView answer) override;
    [[nodiscard]] base::Result<base::Bytes> checkpoint(base::ByteView report) override;
    [[nodiscard]] base::Result<base::Bytes> attest(const AttestationNonce& nonce) override;
    [[nodiscard]] base::Result<base::Bytes> begin_provisioning() override;
    [[nodiscard]] base::Status execute(base::ByteView signed_order) override;

  private:
    Custody(std::unique_ptr<KeyStore> store, const base::Ed25519PublicKey& station_key,
            const base::Clock& clock);

    [[nodiscard]] base::Status load();
    [[nodiscard]] base::Result<Token> mint_device(const HubTokenRequest& request);
    [[nodiscard]] base::Result<Token> mint_registration(const RegistrationTokenRequest& request);
    [[nodiscard]] base::Status check_may_mint(std::string_view module) const;
    [[nodiscard]] base::Result<std::int64_t> expiry_for(base::Seconds lifetime) const;
    [[nodiscard]] base::Result<Token> sign(std::string_view module, std::string_view resource,
                                           std::int64_t expiry_s, std::string_view policy);

    [[nodiscard]] base::Result<base::Ed25519PublicKey> time_authority() const;
    [[nodiscard]] std::uint64_t uptime_ms() const;
    [[nodiscard]] base::Result<std::int64_t> take_answer(base::ByteView answer);
    [[nodiscard]] base::Status raise_floor(std::int64_t floor_s);

    [[nodiscard]] base::Result<evidence_state> evidence_state_at(std::uint64_t checkpoint);
    [[nodiscard]] base::Result<base::Bytes> sign_evidence(base::Bytes evidence);

    [[nodiscard]] base::Status execute_order(base::ByteView signed_order);
    [[nodiscard]] base::Result<base::Ed25519PublicKey> authority_of(const Order& order) const;
    [[nodiscard]] base::Status check_fresh(const Order& order) const;
    [[nodiscard]] base::Status check_not_far_ahead(const Order& order) const;
    [[nodiscard]] base::Status apply(const Order& order, CustodyState& next);
    [[nodiscard]] base::Status apply_provision(const Order& order, CustodyState& next);
    [[nodiscard]] base::Status apply_rotate(const Order& order, CustodyState& next);
    [[nodiscard]] base::Status apply_policy(const Order& order, CustodyState& next);
    [[nodiscard]] base::Status adopt_subject_key(const Order& order, CustodyState& next);
    [[nodiscard]] base::Status apply_wipe(CustodyState& next);
    [[nodiscard]] base::Result<base::Bytes> adopt(const Order& order, const Policy& policy);
    [[nodiscard]] bool has_identity() const noexcept;

    std::unique_ptr<KeyStore> store_;
    base::Ed25519PublicKey station_key_;
    const base::Clock& clock_;
    CustodyState state_;
    std::optional<Nonce> nonce_;       // of the last statement; good for one provision order
    roughtime_clock time_{};           // signed time, in memory only
    std::int64_t stored_floor_s_ = 0;  // the floor in memory may be above it
    std::array<std::uint8_t, EVIDENCE_BOOT_ID_SIZE> boot_id_{};
    std::uint64_t refusals_ = 0;  // since the start; a flood must not wear out a disk
};

}  // namespace mitral::vault
