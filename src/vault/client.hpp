// What a process of the normal world may ask of the trust zone. Blocking; one instance per thread.
// Every call is one datagram to /run/mitral/vault/vault.sock (docs/formats/vault-protocol.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/pseudonym.hpp"

namespace mitral::vault {

// What a token is for. The vault builds the resource itself and signs nothing a caller chose.
struct HubTokenRequest {
    std::string hub;        // host name; must be on the provisioned list
    std::string module_id;  // empty: the device itself
    base::Seconds lifetime{};
};
struct RegistrationTokenRequest {  // for DPS: {idScope}/registrations/{registrationId}
    base::Seconds lifetime{};
};

struct Token {
    base::Secret text;             // "SharedAccessSignature sr=…"
    std::int64_t not_after_s = 0;  // Unix seconds, as in `se`
};

struct DataKey {
    base::Secret key;     // 32 bytes, AES-256-GCM
    base::Bytes wrapped;  // ≤ 1024 bytes; only the trust zone opens it
};

enum class VaultState : std::uint8_t { unprovisioned = 0, ready = 1, quarantined = 2, wiped = 3 };

struct VaultStatus {
    VaultState state = VaultState::unprovisioned;
    std::string backend;   // "optee", "tpm", "software"
    std::string boundary;  // one sentence: what this back end can promise
    std::string id_scope;
    std::string registration_id;
    std::string dps_host;
    std::uint64_t mint_count = 0;
    std::uint64_t refusal_count = 0;
    std::int64_t time_floor_s = 0;      // Unix seconds; only signed time raises it
    std::int64_t time_allowance_s = 0;  // a token may outlive the floor by no more than this
    std::uint32_t max_token_lifetime_s = 0;
    bool time_authority = false;          // the policy names one
    std::int64_t signed_time_age_s = -1;  // since its last answer; -1: none since the start
    bool pending_key = false;             // a rotation waits to be confirmed
    bool subject_key = false;             // pseudonyms can be had
};

class Client {
  public:
    static constexpr base::Milliseconds usual_timeout{5000};

    // `timeout` bounds each call.
    [[nodiscard]] static base::Result<std::unique_ptr<Client>> connect(
        const std::string& socket_path, base::Milliseconds timeout = usual_timeout);
    virtual ~Client() = default;

    [[nodiscard]] virtual base::Result<Token> mint(const HubTokenRequest& request) = 0;
    [[nodiscard]] virtual base::Result<Token> mint(const RegistrationTokenRequest& request) = 0;
    // For spool writers.
    [[nodiscard]] virtual base::Result<DataKey> new_data_key() = 0;
    // For the uplink.
    [[nodiscard]] virtual base::Result<base::Secret> open_data_key(base::ByteView wrapped) = 0;
    // For adapters that meet patients. not_provisioned: the station gave this unit no key for it.
    [[nodiscard]] virtual base::Result<Pseudonym> pseudonym(const Patient& patient) = 0;
    [[nodiscard]] virtual base::Result<VaultStatus> status() = 0;

    // Station and fleet. An order is signed; the vault judges the signature, not the caller.
    // begin_provisioning() yields the statement the station wraps the device key for.
    [[nodiscard]] virtual base::Result<base::Bytes> begin_provisioning() = 0;
    // Provision, policy, rotate, confirm rotation, quarantine, release, wipe.
    [[nodiscard]] virtual base::Status execute(base::ByteView signed_order) = 0;

  protected:
    Client() = default;
};

}  // namespace mitral::vault
