// What vault/custody needs from a trust zone that does not run custody itself: keys that can be
// used but not read, data keys, and memory that does not roll back as far as the hardware allows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/crypto.hpp"
#include "base/p256.hpp"
#include "base/result.hpp"
#include "vault/client.hpp"
#include "vault/order.hpp"

namespace mitral::vault {

// The part of the state that may only rise.
struct Ratchet {
    std::int64_t time_floor_s = 0;
    std::uint64_t order_counter = 0;
};

struct StoredState {
    base::Bytes state;      // empty on a fresh unit
    bool authentic = true;  // false: lost, altered, rolled back, or from another unit
    Ratchet ratchet;        // what the trust zone itself remembers
};

class KeyStore {
  public:
    virtual ~KeyStore() = default;

    [[nodiscard]] virtual std::string_view kind() const noexcept = 0;
    [[nodiscard]] virtual std::string_view boundary() const noexcept = 0;

    // What a station wraps keys for; goes into the statement.
    [[nodiscard]] virtual base::Result<base::Bytes> wrapping_key() = 0;
    // Takes the keys of one slot. The result is no secret: only this trust zone can use it.
    [[nodiscard]] virtual base::Result<base::Bytes> adopt(std::span<const WrappedKey> keys) = 0;
    // True when the slot signs for `module` (empty: the device).
    [[nodiscard]] virtual bool holds(base::ByteView slot, std::string_view module) const = 0;
    // HMAC-SHA256 under the device's key or a module's.
    [[nodiscard]] virtual base::Result<base::Sha256Digest> mac(base::ByteView slot,
                                                               std::string_view module,
                                                               base::ByteView data) = 0;

    [[nodiscard]] virtual base::Result<DataKey> new_data_key() = 0;
    [[nodiscard]] virtual base::Result<base::Secret> open_data_key(base::ByteView wrapped) = 0;

    [[nodiscard]] virtual base::Result<StoredState> load() = 0;
    [[nodiscard]] virtual base::Status save(base::ByteView state, const Ratchet& ratchet) = 0;

    // The count never falls; where power fails it may skip some numbers.
    [[nodiscard]] virtual base::Result<std::uint64_t> mint_count() = 0;
    [[nodiscard]] virtual base::Status count_mint() = 0;

    // The key that says who speaks: made here, stays for ever, wipes included.
    [[nodiscard]] virtual base::Result<base::P256PublicKey> attestation_key() = 0;
    [[nodiscard]] virtual base::Result<base::P256Signature> sign_evidence(
        const base::Sha256Digest& digest) = 0;
    // Numbers of checkpoints rise and are never given twice; some may be skipped. The last one
    // given, or one above it; and the next.
    [[nodiscard]] virtual base::Result<std::uint64_t> last_checkpoint() = 0;
    [[nodiscard]] virtual base::Result<std::uint64_t> next_checkpoint() = 0;

    // Every adopted key and every wrapped data key is void afterwards; new ones can be made.
    [[nodiscard]] virtual base::Status wipe() = 0;

  protected:
    KeyStore() = default;
};

}  // namespace mitral::vault
