// The part of custody that knows the time.
#include <algorithm>
#include <array>

#include "vault/custody.hpp"

namespace mitral::vault {
namespace {

roughtime_result digest(const void*, const std::uint8_t* data, std::size_t size,
                        std::uint8_t* out) {
    const auto whole = base::sha512({data, size});
    std::copy(whole.begin(), whole.end(), out);
    return ROUGHTIME_OK;
}

roughtime_result verify(const void*, const std::uint8_t* key, const std::uint8_t* data,
                        std::size_t size, const std::uint8_t* signature) {
    base::Ed25519PublicKey authority{};
    std::copy_n(key, authority.size(), authority.begin());
    return base::ed25519_verify(authority, {data, size}, {signature, 64}) ? ROUGHTIME_OK
                                                                          : ROUGHTIME_NOT_AUTHENTIC;
}

constexpr roughtime_crypto crypto{nullptr, digest, verify};

const char* describe(roughtime_result result) {
    switch (result) {
        case ROUGHTIME_MALFORMED:
            return "the answer is no Roughtime answer of a version that was asked for";
        case ROUGHTIME_NOT_AUTHENTIC:
            return "the answer is not signed by the policy's time authority";
        case ROUGHTIME_OTHER_REQUEST:
            return "the answer belongs to another question";
        case ROUGHTIME_DELEGATION_EXPIRED:
            return "the authority's delegation is not valid at the time it tells";
        case ROUGHTIME_RADIUS_REFUSED:
            return "the authority does not know the time well enough";
        case ROUGHTIME_BEFORE_FLOOR:
            return "the authority's clock stands before a time that was signed already";
        case ROUGHTIME_TOO_FAR_AHEAD:
            return "the authority's clock is more than ten years ahead of what was signed before";
        default:
            return "no question is open, or its answer came too late: ask again";
    }
}

}  // namespace

std::uint64_t Custody::uptime_ms() const {
    return static_cast<std::uint64_t>(clock_.unsteered().ns / 1'000'000);
}

base::Result<base::Ed25519PublicKey> Custody::time_authority() const {
    if (!has_identity() || !state_.policy)
        return base::fail(VaultError::not_provisioned, "the unit has no identity");
    const auto& key = state_.policy->time_key;
    if (!key)
        return base::fail(VaultError::not_listed,
                          "the policy names no time authority (--time-key)");
    return *key;
}

base::Result<base::Bytes> Custody::begin_time() {
    const auto key = time_authority();
    if (!key) {
        ++refusals_;
        return std::unexpected(key.error());
    }
    std::array<std::uint8_t, ROUGHTIME_NONCE_SIZE> nonce{};
    base::fill_random(nonce);
    base::Bytes packet(ROUGHTIME_REQUEST_SIZE);
    (void)roughtime_ask(&time_, &crypto, key->data(), nonce.data(), uptime_ms(), packet.data());
    return packet;
}

base::Result<std::int64_t> Custody::take_time(base::ByteView answer) {
    auto taken = take_answer(answer);
    refusals_ += !taken && is_refusal(static_cast<VaultError>(taken.error().code.value()));
    return taken;
}

base::Result<std::int64_t> Custody::take_answer(base::ByteView answer) {
    MITRAL_TRY(const auto key, time_authority());
    roughtime_clock next = time_;
    const auto result = roughtime_take(&next, &crypto, key.data(), answer.data(), answer.size(),
                                       uptime_ms(), state_.ratchet.time_floor_s);
    if (result != ROUGHTIME_OK)
        return base::fail(result == ROUGHTIME_TOO_FAR_AHEAD ? VaultError::too_far_ahead
                                                            : VaultError::time_refused,
                          describe(result));
    MITRAL_CHECK(raise_floor(next.earliest_s));
    time_ = next;
    return next.earliest_s;
}

// In memory at once, in storage in steps.
base::Status Custody::raise_floor(std::int64_t floor_s) {
    if (floor_s - stored_floor_s_ >= ROUGHTIME_FLOOR_STEP_S) {
        CustodyState next = state_;
        next.ratchet.time_floor_s = floor_s;
        MITRAL_CHECK(store_->save(encode(next), next.ratchet));
        stored_floor_s_ = floor_s;
    }
    state_.ratchet.time_floor_s = floor_s;
    return {};
}

}  // namespace mitral::vault
