// The part of custody that says, signed, where it stands.
#include <algorithm>

#include "vault/custody.hpp"

namespace mitral::vault {
namespace {

auto no_report() {
    return base::fail(VaultError::malformed, "that is no report of log and lanes");
}

template <std::size_t Size>
void copy(const std::array<std::uint8_t, Size>& from, std::uint8_t (&to)[Size]) {
    std::copy(from.begin(), from.end(), to);
}

}  // namespace

base::Result<evidence_state> Custody::evidence_state_at(std::uint64_t checkpoint) {
    evidence_state state{};
    MITRAL_TRY(const auto key, store_->attestation_key());
    copy(key, state.attestation_key);
    // These zones have no identity of their own hardware but this key.
    copy(base::sha256(key), state.unit_id);
    copy(boot_id_, state.boot_id);
    state.checkpoint = checkpoint;
    MITRAL_TRY(state.mints, store_->mint_count());
    state.refusals = refusals_;
    state.time_floor_s = state_.ratchet.time_floor_s;
    state.signed_time_age_s = roughtime_age_s(&time_, uptime_ms());
    state.order_counter = state_.ratchet.order_counter;
    state.custody = static_cast<std::uint8_t>(state_.state);
    state.doubtful = state_.doubtful;
    const auto id = base::as_bytes(state_.registration_id);
    state.registration_id = id.data();
    state.registration_id_size = id.size();
    return state;
}

base::Result<base::Bytes> Custody::sign_evidence(base::Bytes evidence) {
    if (evidence.empty())  // the writer refused it; nothing must be signed bare
        return base::fail(VaultError::malformed, "that state cannot be written as evidence");
    MITRAL_TRY(const auto signature, store_->sign_evidence(base::sha256(evidence)));
    evidence.insert(evidence.end(), signature.begin(), signature.end());
    return evidence;
}

base::Result<base::Bytes> Custody::checkpoint(base::ByteView report) {
    if (!evidence_is_report(report.data(), report.size())) {
        ++refusals_;
        return no_report();
    }
    MITRAL_TRY(const auto number, store_->next_checkpoint());
    MITRAL_TRY(const auto state, evidence_state_at(number));
    base::Bytes evidence(EVIDENCE_MAX_SIZE);
    evidence.resize(
        evidence_write_checkpoint(&state, report.data(), report.size(), evidence.data()));
    return sign_evidence(std::move(evidence));
}

base::Result<base::Bytes> Custody::attest(const AttestationNonce& nonce) {
    MITRAL_TRY(const auto number, store_->last_checkpoint());
    MITRAL_TRY(const auto state, evidence_state_at(number));
    base::Bytes evidence(EVIDENCE_MAX_SIZE);
    evidence.resize(evidence_write_attestation(&state, nonce.data(), evidence.data()));
    return sign_evidence(std::move(evidence));
}

}  // namespace mitral::vault
