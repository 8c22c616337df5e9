#include "verify/judge.hpp"

#include <algorithm>
#include <utility>

#include "base/errors.hpp"
#include "roughtime/clock.h"
#include "verify/judge_lanes.hpp"

namespace mitral::verify {
namespace {

using Findings = std::vector<Finding>;

constexpr const char* isolate =
    "quarantine the unit by a signed order, cut it off at the hub, and look at it";
Findings unreadable(const base::Error& error) {
    if (error.code == base::BaseError::not_authentic)
        return {{Kind::not_authentic, error.context,
                 "find out who sends under this unit's name; another unit's belongs to that unit's "
                 "file"}};
    return {{Kind::malformed, error.context,
             "look at what carries the evidence; a newer unit may need a newer verifier"}};
}

// A floor in memory may be ahead of the stored one by less than one step (docs/trust-zone.md).
bool floor_fell(const Marks& marks, const attest::State& state) {
    return state.time_floor_s <= marks.time_floor_s - ROUGHTIME_FLOOR_STEP_S;
}

void judge_ratchet(const Marks& marks, const attest::State& state, Findings& out) {
    const auto add = [&out](std::string cause) {
        out.push_back({Kind::rolled_back, std::move(cause), isolate});
    };
    if (state.mints < marks.mints)
        add(fell("the count of tokens", marks.mints, state.mints));
    if (floor_fell(marks, state))
        add("the time floor fell from " + std::to_string(marks.time_floor_s) + " to " +
            std::to_string(state.time_floor_s));
    if (state.order_counter < marks.order_counter)
        add(fell("the counter of orders", marks.order_counter, state.order_counter));
    if (state.epoch < marks.epoch)
        add(fell("the security epoch", marks.epoch, state.epoch));
}

void judge_identity(const Marks& marks, const attest::State& state, Findings& out) {
    if (state.doubtful)
        out.push_back({Kind::doubtful, "the trust zone refused what it had stored at its start",
                       "put the right storage back, or provision the unit anew; see its log for "
                       "vault-state-refused"});
    if (state.unit_id != marks.unit_id)
        out.push_back(
            {Kind::cloned, "the attestation key speaks from another piece of hardware", isolate});
    if (state.registration_id != marks.registration_id)
        out.push_back({Kind::identity_changed,
                       "the unit calls itself '" + state.registration_id + "', before '" +
                           marks.registration_id + "'",
                       "compare with the orders that were signed: a wipe or a new provisioning"});
}

void judge_order(const attest::State& state, const Demands& demands, Findings& out) {
    if (state.order_counter < demands.order_counter)
        out.push_back({Kind::rolled_back,
                       "the counter of orders is " + std::to_string(state.order_counter) +
                           ", an order with " + std::to_string(demands.order_counter) +
                           " was given: not taken, or taken back",
                       isolate});
}

// Signed time is a lower bound of when it was made: a young one may be taken for older by the
// authority's uncertainty, never the other way round.
void judge_age(const attest::State& state, const Demands& demands, std::int64_t now_s,
               Findings& out) {
    if (demands.max_age_s == 0)
        return;
    if (state.signed_time_age_s < 0) {
        out.push_back({Kind::undated, "the unit has had no signed time since its start",
                       "see that its mitral-timed runs and reaches the authority; until then ask "
                       "for an attestation with a nonce"});
        return;
    }
    const auto age_s = now_s - state.time_floor_s - state.signed_time_age_s;
    if (age_s > demands.max_age_s)
        out.push_back({Kind::late,
                       "checkpoint " + std::to_string(state.checkpoint) + " was made " +
                           std::to_string(age_s) + " s before it came; at most " +
                           std::to_string(demands.max_age_s) + " are allowed",
                       "find out who kept it back; ask the unit for an attestation with a nonce"});
}

const Taken* find_number(const Marks& marks, std::uint64_t number) {
    const auto found = std::find_if(marks.taken.begin(), marks.taken.end(),
                                    [number](const Taken& one) { return one.number == number; });
    return found == marks.taken.end() ? nullptr : &*found;
}

bool knows_boot(const Marks& marks, const attest::BootId& boot) {
    return marks.attested.boot == boot ||
           std::any_of(marks.taken.begin(), marks.taken.end(),
                       [&boot](const Taken& one) { return one.boot == boot; });
}

// A genuine one of an earlier start may come late: before all that is remembered, or overtaken by
// an attestation, which does not wait in the unit's spool.
bool may_be_late(const Marks& marks, std::uint64_t number) {
    return marks.taken.empty() || number < marks.taken.front().number ||
           number > marks.last_taken();
}

// The number tells the order of things; the boot id who speaks.
Findings judge_number(const Marks& marks, const attest::State& state,
                      const base::Sha256Digest& digest) {
    const auto number = std::to_string(state.checkpoint);
    const auto mark = std::to_string(marks.checkpoint());
    if (state.checkpoint > marks.checkpoint()) {
        if (knows_boot(marks, state.boot_id) && marks.boot() != state.boot_id)
            return {
                {Kind::cloned,
                 "checkpoint " + number + " is of a start that had ended: two units speak in turns",
                 isolate}};
        return {};
    }
    if (state.checkpoint > marks.last_taken() && state.boot_id == marks.attested.boot)
        return {};  // overtaken by the attestation of its own start
    const Taken* known = find_number(marks, state.checkpoint);
    if (known != nullptr && known->digest == digest)
        return {{Kind::replayed, "checkpoint " + number + " was taken before",
                 "one redelivery is harmless; many mean that somebody repeats messages"}};
    if (!knows_boot(marks, state.boot_id) && may_be_late(marks, state.checkpoint))
        return {{Kind::undecided,
                 "checkpoint " + number + ", not above " + mark +
                     ", is of a start that is not remembered: late, repeated or rolled back",
                 "ask the unit for an attestation with a nonce"}};
    if (!knows_boot(marks, state.boot_id))
        return {{Kind::rolled_back,
                 "after a start the unit numbers a checkpoint " + number + ", not above " + mark +
                     ": an older storage, or a copy of it elsewhere",
                 isolate}};
    if (known != nullptr)
        return {{Kind::cloned, "checkpoint " + number + " came with two contents", isolate}};
    return {{Kind::replayed, "checkpoint " + number + " is older than " + mark,
             "one late delivery is harmless; many mean that somebody repeats messages"}};
}

void judge_log(const Marks& marks, const attest::Report& report, Findings& out) {
    if (report.log_entries < marks.log_entries)
        out.push_back({Kind::log_suppressed,
                       fell("the number of security events", marks.log_entries, report.log_entries),
                       look_at_unit});
    else if (report.log_entries == marks.log_entries && report.log_head != marks.log_head)
        out.push_back({Kind::log_altered,
                       "the security log has another head over the same " +
                           std::to_string(marks.log_entries) + " events",
                       look_at_unit});
}

void raise(Marks& marks, const attest::State& state) {
    marks.mints = std::max(marks.mints, state.mints);
    marks.time_floor_s = std::max(marks.time_floor_s, state.time_floor_s);
    marks.order_counter = std::max(marks.order_counter, state.order_counter);
    marks.epoch = std::max(marks.epoch, state.epoch);
    marks.registration_id = state.registration_id;  // told once
}

void take(Marks& marks, const attest::Checkpoint& checkpoint, const base::Sha256Digest& digest) {
    raise(marks, checkpoint.state);
    raise_lanes(marks, checkpoint.report);
    if (checkpoint.report.log_entries > marks.log_entries) {
        marks.log_entries = checkpoint.report.log_entries;
        marks.log_head = checkpoint.report.log_head;
    }
    if (marks.taken.size() == Marks::max_taken)
        marks.taken.erase(marks.taken.begin());
    marks.taken.push_back({.number = checkpoint.state.checkpoint,
                           .digest = digest,
                           .boot = checkpoint.state.boot_id});
}

// Its numbers may not be the unit's own: as marks they would accuse the unit itself.
// Without the signature: anybody can make a second one of the same content out of the first.
base::Sha256Digest digest_of(base::ByteView bytes) {
    return base::sha256(bytes.first(bytes.size() - EVIDENCE_SIGNATURE_SIZE));
}

bool is_late(const Finding& finding) {
    return finding.kind == Kind::late;
}

bool is_of_another(const Finding& finding) {
    return finding.kind == Kind::rolled_back || finding.kind == Kind::cloned ||
           finding.kind == Kind::doubtful;
}

}  // namespace

std::vector<Finding> judge_checkpoint(Marks& marks, base::ByteView bytes, std::int64_t now_s,
                                      const Demands& demands) {
    const auto read = attest::read_checkpoint(bytes, marks.key);
    if (!read)
        return unreadable(read.error());
    const auto digest = digest_of(bytes);
    auto findings = judge_number(marks, read->state, digest);
    if (!findings.empty())
        return findings;
    judge_ratchet(marks, read->state, findings);
    judge_order(read->state, demands, findings);
    judge_age(read->state, demands, now_s, findings);
    judge_identity(marks, read->state, findings);
    judge_lanes(marks, read->report, findings);
    judge_log(marks, read->report, findings);
    if (std::none_of(findings.begin(), findings.end(), is_of_another)) {
        take(marks, *read, digest);
        if (std::none_of(findings.begin(), findings.end(), is_late))
            marks.heard_s = std::max(marks.heard_s, now_s);
    }
    return findings;
}

bool was_taken(const Marks& marks, base::ByteView bytes) {
    if (bytes.size() < EVIDENCE_SIGNATURE_SIZE)
        return false;
    const auto digest = digest_of(bytes);
    return std::any_of(marks.taken.begin(), marks.taken.end(),
                       [&digest](const Taken& one) { return one.digest == digest; });
}

bool claim_lists(Marks& marks, base::ByteView bytes) {
    if (bytes.size() < EVIDENCE_SIGNATURE_SIZE)
        return false;
    const auto digest = digest_of(bytes);
    const auto one = std::find_if(marks.taken.begin(), marks.taken.end(),
                                  [&digest](const Taken& taken) { return taken.digest == digest; });
    return one != marks.taken.end() && !std::exchange(one->lists_held, true);
}

std::vector<Finding> judge_attestation(Marks& marks, base::ByteView bytes,
                                       const attest::Nonce& nonce, const Demands& demands) {
    const auto read = attest::read_attestation(bytes, marks.key, nonce);
    if (!read)
        return unreadable(read.error());
    Findings findings;
    const auto& state = read->state;
    const bool same_boot = marks.boot() == state.boot_id;
    if (state.checkpoint < marks.checkpoint())
        findings.push_back({Kind::rolled_back,
                            fell("the number of checkpoints", marks.checkpoint(), state.checkpoint),
                            isolate});
    if (!same_boot && knows_boot(marks, state.boot_id))
        findings.push_back(
            {Kind::cloned, "it answers from a start that had ended: two units speak", isolate});
    judge_ratchet(marks, state, findings);
    judge_order(state, demands, findings);
    judge_identity(marks, state, findings);
    if (findings.empty()) {
        raise(marks, state);
        marks.attested = {state.checkpoint, state.boot_id};
    }
    return findings;
}

std::vector<Finding> judge_silence(const Marks& marks, std::int64_t longest_s, std::int64_t now_s) {
    const std::int64_t silent_s = now_s - marks.heard_s;
    if (silent_s <= longest_s)
        return {};
    return {{Kind::silent,
             "no checkpoint for " + std::to_string(silent_s) + " s; at most " +
                 std::to_string(longest_s) + " are allowed",
             "ask whether the unit is off or off line; if it sends readings and no checkpoints, " +
                 std::string(isolate)}};
}

}  // namespace mitral::verify
