#include "attest/read.hpp"

#include <algorithm>
#include <optional>

#include "azure/ids.hpp"
#include "base/errors.hpp"

namespace mitral::attest {
namespace {

constexpr std::string_view checkpoint_label{EVIDENCE_CHECKPOINT_LABEL,
                                            sizeof EVIDENCE_CHECKPOINT_LABEL};
constexpr std::string_view attestation_label{EVIDENCE_ATTESTATION_LABEL,
                                             sizeof EVIDENCE_ATTESTATION_LABEL};

auto malformed(std::string_view what) {
    return base::fail(base::BaseError::malformed, "that is no " + std::string(what));
}

auto not_authentic(std::string_view why) {
    return base::fail(base::BaseError::not_authentic, std::string(why));
}

template <std::size_t Size>
bool read(base::ByteReader& in, std::array<std::uint8_t, Size>& out) {
    const auto bytes = in.take(Size);
    if (bytes)
        std::copy(bytes->begin(), bytes->end(), out.begin());
    return bytes.has_value();
}

bool read(base::ByteReader& in, std::uint64_t& out) {
    const auto value = in.u64();
    out = value.value_or(0);
    return value.has_value();
}

bool read(base::ByteReader& in, std::int64_t& out) {
    const auto value = in.u64();
    out = static_cast<std::int64_t>(value.value_or(0));
    return value.has_value();
}

// It is shown to people: no control characters.
bool is_id(std::string_view id) {
    return id.empty() || (id.size() <= EVIDENCE_MAX_ID && azure::check_registration_id(id));
}

// Up to the end of the year 9999: sums of such times do not overflow.
bool has_sane_times(const State& state) {
    constexpr std::int64_t last_s = 253'402'300'799;
    return state.time_floor_s >= 0 && state.time_floor_s <= last_s && state.signed_time_age_s >= -1;
}

bool read_flags(base::ByteReader& in, State& state) {
    const auto epoch = in.u32();
    const auto custody = in.u8();
    const auto doubtful = in.u8();
    const auto id = in.text16();
    if (!id || *custody > static_cast<std::uint8_t>(Custody::wiped) || *doubtful > 1 || !is_id(*id))
        return false;
    state.epoch = *epoch;
    state.custody = static_cast<Custody>(*custody);
    state.doubtful = *doubtful != 0;
    state.registration_id = *id;
    return true;
}

bool read(base::ByteReader& in, State& state) {
    return read(in, state.attestation_key) && read(in, state.unit_id) && read(in, state.boot_id) &&
           read(in, state.checkpoint) && read(in, state.mints) && read(in, state.refusals) &&
           read(in, state.time_floor_s) && read(in, state.signed_time_age_s) &&
           read(in, state.order_counter) && read_flags(in, state) && has_sane_times(state);
}

bool read(base::ByteReader& in, LaneReport& lane) {
    const auto name = in.text16();
    if (!name)
        return false;
    lane.name = *name;
    return read(in, lane.stream) && read(in, lane.first) && read(in, lane.end) &&
           read(in, lane.hash) && read(in, lane.gaps);
}

bool read(base::ByteReader& in, Report& report) {
    if (!read(in, report.log_entries) || !read(in, report.log_head))
        return false;
    const auto count = in.u8();
    report.lanes.resize(std::min<std::size_t>(count.value_or(0), EVIDENCE_MAX_LANES));
    return count && std::all_of(report.lanes.begin(), report.lanes.end(),
                                [&in](LaneReport& lane) { return read(in, lane); });
}

// Everything behind the label and before the signature.
std::optional<base::ByteView> body_of(base::ByteView bytes, std::string_view label) {
    if (bytes.size() > EVIDENCE_MAX_SIZE || bytes.size() < label.size() + EVIDENCE_SIGNATURE_SIZE ||
        base::as_text(bytes.first(label.size())) != label)
        return std::nullopt;
    return bytes.subspan(label.size(), bytes.size() - label.size() - EVIDENCE_SIGNATURE_SIZE);
}

base::Status check_signature(base::ByteView bytes, const base::P256PublicKey& key) {
    const auto message = bytes.first(bytes.size() - EVIDENCE_SIGNATURE_SIZE);
    if (!base::p256_verify(key, base::sha256(message), bytes.last(EVIDENCE_SIGNATURE_SIZE)))
        return not_authentic("it is not signed under this unit's attestation key");
    return {};
}

base::Result<Attestation> parse_attestation(base::ByteView bytes) {
    const auto body = body_of(bytes, attestation_label);
    Attestation attestation;
    if (!body)
        return malformed("attestation");
    base::ByteReader in(*body);
    if (!read(in, attestation.nonce) || !read(in, attestation.state) || !in.done())
        return malformed("attestation");
    return attestation;
}

}  // namespace

std::string_view to_string(Custody custody) noexcept {
    switch (custody) {
        case Custody::unprovisioned:
            return "unprovisioned";
        case Custody::ready:
            return "ready";
        case Custody::quarantined:
            return "quarantined";
        case Custody::wiped:
            return "wiped";
    }
    return "unknown";
}

base::Result<Checkpoint> read_checkpoint(base::ByteView bytes, const base::P256PublicKey& key) {
    const auto body = body_of(bytes, checkpoint_label);
    if (!body)
        return malformed("checkpoint");
    MITRAL_CHECK(check_signature(bytes, key));
    base::ByteReader in(*body);
    Checkpoint checkpoint;
    if (!read(in, checkpoint.state))
        return malformed("checkpoint");
    const auto report = body->subspan(in.position());
    if (!evidence_is_report(report.data(), report.size()) || !read(in, checkpoint.report) ||
        !in.done())
        return malformed("checkpoint");
    if (checkpoint.state.attestation_key != key)
        return not_authentic("it names another attestation key than it is signed under");
    return checkpoint;
}

base::Result<Attestation> read_attestation(base::ByteView bytes, const base::P256PublicKey& key,
                                           const Nonce& nonce) {
    MITRAL_TRY(auto attestation, parse_attestation(bytes));
    MITRAL_CHECK(check_signature(bytes, key));
    if (attestation.state.attestation_key != key)
        return not_authentic("it names another attestation key than it is signed under");
    if (attestation.nonce != nonce)
        return not_authentic("it answers another nonce");
    return attestation;
}

base::Result<Attestation> read_first_attestation(base::ByteView bytes, const Nonce& nonce) {
    MITRAL_TRY(const auto named, parse_attestation(bytes));
    return read_attestation(bytes, named.state.attestation_key, nonce);
}

}  // namespace mitral::attest
