// Shared access signatures: writing them (over the core shared with the trust zone) and, for the
// local Azure, judging them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::azure {

constexpr base::Seconds max_token_lifetime{24 * 60 * 60};
constexpr std::string_view registration_policy = "registration";  // `skn` of a DPS device token

// What a token opens, in plain text (not encoded). Names are checked (azure/ids.hpp).
[[nodiscard]] base::Result<std::string> device_resource(std::string_view hub,
                                                        std::string_view device);
[[nodiscard]] base::Result<std::string> module_resource(std::string_view hub,
                                                        std::string_view device,
                                                        std::string_view module);
[[nodiscard]] base::Result<std::string> registration_resource(std::string_view id_scope,
                                                              std::string_view registration);

// now + lifetime in Unix seconds; a lifetime of zero or above the cap is refused.
[[nodiscard]] base::Result<std::int64_t> token_expiry(std::int64_t now_s, base::Seconds lifetime);

// The two halves of making a token, for whoever keeps the key elsewhere. `resource` is plain text.
[[nodiscard]] base::Result<std::string> string_to_sign(std::string_view resource,
                                                       std::int64_t expiry_s);
[[nodiscard]] base::Result<base::Secret> assemble_token(std::string_view resource,
                                                        std::int64_t expiry_s,
                                                        const base::Sha256Digest& mac,
                                                        std::string_view policy = {});
// Both halves with a key in memory: the software vault, and clients of the local Azure.
[[nodiscard]] base::Result<base::Secret> sign_token(base::ByteView key, std::string_view resource,
                                                    std::int64_t expiry_s,
                                                    std::string_view policy = {});

// HMAC-SHA256(group key, registration id): the key DPS expects from a member of a group enrolment.
[[nodiscard]] base::Secret derive_device_key(base::ByteView group_key,
                                             std::string_view registration_id);

// A token as a client sent it. The HMAC is over the raw text of `sr` and `se`, for clients encode
// in four ways; only a copy is decoded for authorisation.
struct ParsedToken {
    std::string raw_resource;
    std::string raw_expiry;
    std::string resource;  // decoded
    std::int64_t expiry_s = 0;
    base::Sha256Digest signature{};
    std::string policy;  // `skn`, empty without one
};

// Any field order; unknown or repeated fields are refused. Fails with malformed_token; ≤ 4 KiB.
[[nodiscard]] base::Result<ParsedToken> parse_token(std::string_view text);
[[nodiscard]] bool is_signed_by(const ParsedToken& token, base::ByteView key);  // constant time

// True when a token for `granted` opens `wanted`: whole path segments, so /devices/ab does not
// cover /devices/abc; the host without regard to case; a resource that was lower-cased as a whole
// (as Microsoft's identity service does) and a trailing "api-version=…" segment (as in old samples)
// are accepted.
[[nodiscard]] bool covers(std::string_view granted, std::string_view wanted);

struct TokenCheck {
    std::string_view wanted;  // plain resource
    std::int64_t now_s = 0;
    base::Seconds skew{300};  // how long past its end a token is still taken (clocks differ)
};
// Signature (any of `keys`), then resource, then expiry: wrong_signature, not_authorised,
// token_expired.
[[nodiscard]] base::Status verify_token(const ParsedToken& token,
                                        std::initializer_list<base::ByteView> keys,
                                        const TokenCheck& check);

}  // namespace mitral::azure
