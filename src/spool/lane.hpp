// A spool directory belongs to one writer (an intake adapter, later the watch room) and holds three
// lanes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::spool {

enum class Lane : std::uint8_t { alerts = 0, vitals = 1, waves = 2 };
constexpr std::array<Lane, 3> lanes_by_priority{Lane::alerts, Lane::vitals, Lane::waves};
[[nodiscard]] std::string_view to_string(Lane lane) noexcept;

// Record sequence numbers start at 1 and rise by one over the life of a lane, across segments and
// restarts. A reader sees a jump only where records had to go; a jump also ends the open batch, and
// a gap record further on accounts for it. `stream` is drawn at random when the lane's directory is
// made, so that numbers of a lane that was lost are never taken for numbers of its successor.
struct RecordId {
    std::uint64_t stream = 0;
    std::uint64_t sequence = 0;
    auto operator<=>(const RecordId&) const = default;
};

enum class RecordKind : std::uint8_t {
    data = 0,
    // Records that had to go: the payload is an encoded Gap (spool/gap.hpp). Always ends a batch.
    // One stretch may be told twice (after a crash), with the same numbers or more: gaps are sets
    // of numbers.
    gap = 1,
    // Nothing but the end of a batch whose last record was already on disk: no payload, ends_batch
    // set. It has a sequence number of its own and is acknowledged like any record.
    boundary = 2,
};

struct Record {
    RecordId id;
    RecordKind kind = RecordKind::data;
    // True on the last record of a batch (a data, gap or boundary record). The writer draws the
    // line, durably, so that a restarted uplink forms the same batches and with them the same
    // message ids.
    bool ends_batch = false;
    base::Bytes payload;  // decrypted; hostile input all the same
};

}  // namespace mitral::spool
