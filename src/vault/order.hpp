// Orders: what station and fleet may make a trust zone do. Signed with Ed25519, bound to one unit,
// usable once. Compact tag-length-value, for a Trusted Application written in C must read them too
// (docs/formats/vault-protocol.md, "Order").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "vault/statement.hpp"

namespace mitral::vault {

constexpr std::size_t max_order_size = 3584;  // bytes; fits one request
constexpr std::size_t max_hubs = 8;
constexpr std::size_t max_modules = 4;
// Seconds. Signed time is not kept across a start: whoever restarts a unit falls back to the
// allowance, so beside a time authority it bridges a failure of that authority and no more.
constexpr std::uint32_t max_allowance_with_time_s = 7 * 86'400;

enum class OrderKind : std::uint8_t {
    provision = 1,
    rotate = 2,
    confirm_rotation = 3,
    policy = 4,
    quarantine = 5,
    release = 6,
    wipe = 7,
};
[[nodiscard]] std::string_view to_string(OrderKind kind) noexcept;

enum class Authority : std::uint8_t { station = 1, fleet = 2 };

// By so much an order's counter may always rise; beyond, it must be a time in milliseconds since
// 1970 that the unit takes (roughtime_latest_after): a counter never falls again.
constexpr std::uint64_t order_counter_step = std::uint64_t{1} << 20;

// What a unit may ask tokens for, and for how long.
struct Policy {
    std::string id_scope;
    std::string dps_host;
    std::vector<std::string> hubs;  // 1 … max_hubs, compared exactly, lower case, ":port" included
    std::vector<std::string> modules;  // module identities it may mint for, ≤ max_modules
    std::string
        quarantine_module;  // the one of them that may mint in quarantine (alerts), or empty
    std::uint32_t max_lifetime_s = 0;  // 1 … 86400
    // How far a token may outlive the time floor; with a time key ≤ max_allowance_with_time_s.
    std::uint32_t allowance_s = 0;
    std::optional<base::Ed25519PublicKey> fleet_key;  // may sign everything but `provision`
    std::optional<base::Ed25519PublicKey> time_key;   // of the authority of signed time

    bool operator==(const Policy&) const = default;
};

// A key for this trust zone alone. Which modules get a key of their own is the back end's matter:
// some derive it inside.
struct WrappedKey {
    std::string module;  // empty: the device
    base::Bytes blob;
};

struct Order {
    OrderKind kind = OrderKind::quarantine;
    Authority signer = Authority::station;
    std::string registration_id;
    std::uint64_t counter = 0;           // strictly rising per unit, over all kinds
    std::optional<Nonce> nonce;          // provision: from the statement
    std::optional<std::int64_t> time_s;  // Unix seconds; raises the floor; provision must have it
    std::optional<Policy> policy;        // provision, policy
    std::vector<WrappedKey> keys;        // provision, rotate
    base::Bytes subject_key;             // may stand in provision, policy: a wrapped site key
    std::string reason;                  // quarantine, wipe: ≤ 64 printable ASCII characters
};

// Fails with order_malformed when the order breaks a rule of the format, so that a station cannot
// sign what no unit would take.
[[nodiscard]] base::Result<base::Bytes> sign_order(const Order& order, const base::Secret& key);

struct SignedOrder {
    Order order;
    base::ByteView body;  // inside the parsed bytes
    base::Ed25519Signature signature{};
};
// Checks the form only; nothing in the result may be trusted before verify_order().
[[nodiscard]] base::Result<SignedOrder> parse_order(base::ByteView bytes);
[[nodiscard]] base::Status verify_order(const SignedOrder& order,
                                        const base::Ed25519PublicKey& key);

// The policy's own encoding, for the state file.
[[nodiscard]] base::Bytes encode(const Policy& policy);
[[nodiscard]] base::Result<Policy> decode_policy(base::ByteView bytes);

}  // namespace mitral::vault
