#include "verify/judge.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "roughtime/clock.h"

namespace mitral::verify {
namespace {

using Findings = std::vector<Finding>;

constexpr const char* isolate =
    "quarantine the unit by a signed order, cut it off at the hub, and look at it";
constexpr const char* look_at_unit =
    "treat what the unit sent since as unproven, and look at it on the spot";

std::string fell(std::string_view what, std::uint64_t from, std::uint64_t to) {
    return std::string(what) + " fell from " + std::to_string(from) + " to " + std::to_string(to);
}

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

void judge_lane(const attest::LaneReport& mark, const attest::LaneReport& now, Findings& out) {
    const auto add = [&](Kind kind, std::string cause, const char* remedy) {
        out.push_back({kind, "lane " + mark.name + ": " + std::move(cause), remedy});
    };
    if (now.stream != mark.stream)
        return add(Kind::lane_replaced, "it was made anew",
                   "compare with what was done to the unit; what it held and did not send is lost");
    if (now.end < mark.end || now.first < mark.first)
        return add(Kind::lane_shrank,
                   fell(now.end < mark.end ? "its end" : "its beginning",
                        now.end < mark.end ? mark.end : mark.first,
                        now.end < mark.end ? now.end : now.first),
                   look_at_unit);
    if (now.gaps < mark.gaps)
        add(Kind::lane_altered, fell("its count of gaps", mark.gaps, now.gaps), look_at_unit);
    if (now.first == mark.first && now.end == mark.end && now.hash != mark.hash)
        add(Kind::lane_altered,
            "records " + std::to_string(now.first) + " to " + std::to_string(now.end) +
                " have another content than before",
            look_at_unit);
}

void judge_lanes(const Marks& marks, const attest::Report& report, Findings& out) {
    for (const auto& mark : marks.lanes) {
        const auto now = std::find_if(
            report.lanes.begin(), report.lanes.end(),
            [&mark](const attest::LaneReport& lane) { return lane.name == mark.name; });
        if (now == report.lanes.end())
            out.push_back(
                {Kind::lane_missing, "lane " + mark.name + " is reported no more", look_at_unit});
        else
            judge_lane(mark, *now, out);
    }
}

void judge_lane_count(const Marks& marks, const attest::Report& report, Findings& out) {
    const auto is_new = [&marks](const attest::LaneReport& now) {
        return std::none_of(marks.lanes.begin(), marks.lanes.end(),
                            [&now](const auto& mark) { return mark.name == now.name; });
    };
    const auto more =
        static_cast<std::size_t>(std::count_if(report.lanes.begin(), report.lanes.end(), is_new));
    if (marks.lanes.size() + more > Marks::max_lanes)
        out.push_back({Kind::too_many_lanes,
                       "more than " + std::to_string(Marks::max_lanes) +
                           " lanes were named; those beyond are not watched",
                       look_at_unit});
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

void raise(Marks& marks, const attest::LaneReport& now) {
    const auto mark =
        std::find_if(marks.lanes.begin(), marks.lanes.end(),
                     [&now](const attest::LaneReport& lane) { return lane.name == now.name; });
    if (mark == marks.lanes.end()) {
        if (marks.lanes.size() < Marks::max_lanes)
            marks.lanes.push_back(now);
    } else if (mark->stream != now.stream ||
               (now.end >= mark->end && now.first >= mark->first && now.gaps >= mark->gaps)) {
        *mark = now;
    }
}

void take(Marks& marks, const attest::Checkpoint& checkpoint, const base::Sha256Digest& digest,
          std::int64_t now_s) {
    raise(marks, checkpoint.state);
    for (const auto& lane : checkpoint.report.lanes)
        raise(marks, lane);
    if (checkpoint.report.log_entries > marks.log_entries) {
        marks.log_entries = checkpoint.report.log_entries;
        marks.log_head = checkpoint.report.log_head;
    }
    marks.heard_s = now_s;
    if (marks.taken.size() == Marks::max_taken)
        marks.taken.erase(marks.taken.begin());
    marks.taken.push_back({checkpoint.state.checkpoint, digest, checkpoint.state.boot_id});
}

// Its numbers may not be the unit's own: as marks they would accuse the unit itself.
bool is_of_another(const Finding& finding) {
    return finding.kind == Kind::rolled_back || finding.kind == Kind::cloned ||
           finding.kind == Kind::doubtful;
}

}  // namespace

std::vector<Finding> judge_checkpoint(Marks& marks, base::ByteView bytes, std::int64_t now_s) {
    const auto read = attest::read_checkpoint(bytes, marks.key);
    if (!read)
        return unreadable(read.error());
    // Without the signature: anybody can make a second one of the same content out of the first.
    const auto digest = base::sha256(bytes.first(bytes.size() - EVIDENCE_SIGNATURE_SIZE));
    auto findings = judge_number(marks, read->state, digest);
    if (!findings.empty())
        return findings;
    judge_ratchet(marks, read->state, findings);
    judge_identity(marks, read->state, findings);
    judge_lanes(marks, read->report, findings);
    judge_lane_count(marks, read->report, findings);
    judge_log(marks, read->report, findings);
    if (std::none_of(findings.begin(), findings.end(), is_of_another))
        take(marks, *read, digest, now_s);
    return findings;
}

std::vector<Finding> judge_attestation(Marks& marks, base::ByteView bytes,
                                       const attest::Nonce& nonce) {
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
