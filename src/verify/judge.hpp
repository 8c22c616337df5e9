// Judges what a unit sends against the marks kept of it: roll-back, clones, and a normal world that
// lies about its log and lanes. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "verify/marks.hpp"

namespace mitral::verify {

enum class Kind : std::uint8_t {
    malformed,         // no evidence at all
    not_authentic,     // not signed by this unit: forged, or another unit's
    replayed,          // an old one, sent again
    rolled_back,       // something that only rises went back
    cloned,            // two units speak with one key
    undecided,         // late, or of a unit that was rolled back: it cannot be told
    doubtful,          // the trust zone refused what it had stored
    identity_changed,  // another registration id than before
    lane_shrank,       // a lane lost what it had
    lane_altered,      // other content under the same numbers
    lane_missing,      // a lane that was reported is reported no more
    lane_replaced,     // a lane was made anew
    lane_unproven,     // records that no checkpoint covers: one was withheld, or the power was cut
    too_many_lanes,    // more names of lanes than are kept
    log_suppressed,    // the security log is shorter, or gone
    log_altered,       // another head over as many entries
    silent,            // no checkpoint for longer than allowed
    late,              // a checkpoint that was kept back
    undated,           // no signed time in it: nobody knows how old it is
    list_altered,      // not the list that the checkpoint was signed for
    message_missing,   // the unit was told that it is delivered, and it is not there
    message_altered    // another content than the unit sent
};
[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

struct Finding {
    Kind kind = Kind::malformed;
    std::string cause;
    std::string remedy;
};
// "rolled-back: CAUSE: REMEDY"
[[nodiscard]] std::string line_of(const Finding& finding);

// What the verifier knows besides the marks. 0: not looked at.
struct Demands {
    std::int64_t max_age_s = 0;       // of a checkpoint when it comes, by the signed time in it
    std::uint64_t order_counter = 0;  // of an order that was given to the unit: it has taken it
};

// Checkpoints in the order in which they came; `now_s` is the verifier's clock. Empty: nothing to
// complain of. `marks` takes up what is higher, and nothing of what is not authentic, repeated,
// rolled back, cloned, undecided or doubtful.
[[nodiscard]] std::vector<Finding> judge_checkpoint(Marks& marks, base::ByteView bytes,
                                                    std::int64_t now_s,
                                                    const Demands& demands = {});
[[nodiscard]] std::vector<Finding> judge_attestation(Marks& marks, base::ByteView bytes,
                                                     const attest::Nonce& nonce,
                                                     const Demands& demands = {});
// This very checkpoint is among those that were taken: a redelivery.
[[nodiscard]] bool was_taken(const Marks& marks, base::ByteView bytes);
// Its lists are to be held to what arrived: true once for each checkpoint that was taken. One that
// came by itself first is held when its message comes.
[[nodiscard]] bool claim_lists(Marks& marks, base::ByteView bytes);
// Of the time since the last good checkpoint. Before judge_checkpoint() it finds a gap between two.
[[nodiscard]] std::vector<Finding> judge_silence(const Marks& marks, std::int64_t longest_s,
                                                 std::int64_t now_s);

}  // namespace mitral::verify
