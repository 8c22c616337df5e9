// From spool records to what is published: topic properties and body. Deterministic, so that a
// message that is sent again is the same, byte for byte (I4). No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "clinical/batch.hpp"
#include "spool/gap.hpp"
#include "spool/lane.hpp"
#include "uplink/message_properties.hpp"

namespace mitral::uplink {

// Ready but for the device's part of the topic.
struct Outgoing {
    std::string bag;  // the properties, encoded (azure/topics.hpp)
    base::Bytes body;
};

// What a mitral.gap/1 message says. Times are left out where nobody knows them (a record that
// cannot be read does not say when it was written).
struct GapFacts {
    spool::Lane lane = spool::Lane::vitals;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::optional<base::WallTime> first_written;
    std::optional<base::WallTime> last_written;
    spool::GapReason reason = spool::GapReason::unreadable;
};

// One batch of a lane while it is read, and what it becomes. A record that does not decode, or that
// does not encode, is replaced by a gap with reason `unreadable`: it is accounted for, and holds
// neither its neighbours nor the lane back.
class BatchBuilder {
  public:
    // A hostile writer may never end a batch; beyond this one is made to end.
    static constexpr std::size_t max_records = 16 * 1024;
    static constexpr std::size_t max_bytes = 1024 * 1024;

    explicit BatchBuilder(const FeedName& feed) : lane_(feed.lane), properties_(feed) {}

    void add(const spool::Record& record);
    // The stretch of numbers a damaged segment took with it.
    void add(std::uint64_t stream, const spool::Gap& damage);
    [[nodiscard]] bool empty() const noexcept { return records_ == 0; }
    [[nodiscard]] bool full() const noexcept {
        return records_ >= max_records || bytes_ >= max_bytes;
    }
    // Precondition: !empty().
    [[nodiscard]] spool::RecordId last() const noexcept { return last_; }

    struct Batch {
        std::vector<Outgoing> messages;
        std::uint64_t last_sequence = 0;
        std::uint32_t records = 0;
        std::uint32_t gaps = 0;
        std::uint32_t unreadable = 0;
        std::string why_unreadable;  // of the first such record
    };
    // Leaves the builder empty.
    [[nodiscard]] Batch finish();
    void clear();

  private:
    struct GapAt {
        spool::RecordId id;
        GapFacts facts;
    };
    void unreadable(std::uint64_t sequence, const base::Error& why);
    void encode(Batch& batch);
    [[nodiscard]] Outgoing data_message(clinical::CloudMessage&& message);
    // Its id is made of the gap record itself, or of the first unreadable record.
    [[nodiscard]] Outgoing gap_message(const GapAt& gap);

    spool::Lane lane_;
    MessageProperties properties_;
    std::vector<clinical::BatchEntry> entries_;
    std::vector<GapAt> gaps_;
    std::size_t bytes_ = 0;
    std::uint32_t records_ = 0;
    std::uint32_t unreadable_ = 0;
    std::string why_unreadable_;
    spool::RecordId last_;
};

}  // namespace mitral::uplink
