// One lane of one spool, or a part of it, on its way to the hub: reads records, forms batches and
// messages, and moves the acknowledged position over batches that are acknowledged as a whole and
// without a hole before them. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "spool/reader.hpp"
#include "uplink/messages.hpp"

namespace mitral::uplink {

struct FeedCounters {
    std::uint64_t messages = 0;    // acknowledged by the hub, since the process started
    std::uint64_t records = 0;     // in batches the hub acknowledged as a whole
    std::uint64_t gaps = 0;        // gap messages among them
    std::uint64_t unreadable = 0;  // records that were replaced by a gap

    FeedCounters& operator+=(const FeedCounters& other) noexcept;
};

class LaneFeed {
  public:
    // The spool may appear after us: opening is tried again with the first call that needs it.
    using OpenReader = std::function<base::Result<std::unique_ptr<spool::LaneReader>>()>;
    // Batches are numbered from `first_batch` on.
    LaneFeed(FeedName name, OpenReader open, std::uint64_t first_batch = 0);

    // Divides the lane behind the newest batch that is whole: this feed keeps what is before and
    // ends there; the one that comes back begins there, and its position is not stored before
    // take_over(). nullopt: no more than `far` records are unread, or no boundary can be found now.
    // Messages and their ids are the same with it and without. Precondition: it does not end yet.
    [[nodiscard]] base::Result<std::optional<LaneFeed>> split(std::uint64_t far,
                                                              std::uint64_t first_batch);
    // It ends, and all before its end is acknowledged or gone.
    [[nodiscard]] bool finished() const noexcept { return exhausted_ && batches_.empty(); }
    // `before` has finished: this feed's position is the lane's.
    void take_over(const LaneFeed& before);
    // What follows is this feed's again: it has no end and reads again from its position on.
    [[nodiscard]] base::Status join();

    // The next message; nullptr: none until woken(), or none at all behind the end. Reads ahead by
    // no more than what one batch, or the damage behind it, makes. An error concerns this lane
    // only; the call may be repeated later. SpoolError::lane_replaced: this is not the lane that
    // was split.
    [[nodiscard]] base::Result<const Outgoing*> front();
    // Precondition of both: front() gave a message. The batch it belongs to; and: it was sent.
    [[nodiscard]] std::uint64_t front_batch() const noexcept { return ready_.front().batch; }
    void pop_front() { ready_.pop_front(); }
    // A message of that batch was acknowledged.
    void acknowledged(std::uint64_t batch);

    // Everything that is not acknowledged will be sent again (the session is gone).
    [[nodiscard]] base::Status rewind();
    [[nodiscard]] base::Status persist();
    [[nodiscard]] bool must_persist() const noexcept { return must_persist_; }

    // Time passes before the next message may go: the bound may take what has been read for it.
    void held_up() noexcept { held_up_ = true; }

    // The reader's descriptor became readable.
    void woken() noexcept { drained_ = false; }
    [[nodiscard]] bool drained() const noexcept { return drained_ && ready_.empty(); }
    [[nodiscard]] int wake_descriptor() const noexcept {
        return reader_ ? reader_->wake_descriptor() : -1;
    }

    [[nodiscard]] const FeedName& name() const noexcept { return name_; }
    [[nodiscard]] const FeedCounters& counters() const noexcept { return counters_; }
    void add_counters(const FeedCounters& more) noexcept { counters_ += more; }
    [[nodiscard]] std::uint64_t position() const noexcept {
        return reader_ ? reader_->acknowledged() : 0;
    }
    // Records not yet acknowledged; 0 when the lane cannot say.
    [[nodiscard]] std::uint64_t backlog();
    // The same for a feed that ends, in a lane whose last record is `last`.
    [[nodiscard]] std::uint64_t backlog_of_part(std::uint64_t last);

  private:
    struct Progress {
        std::uint64_t last_sequence = 0;
        std::uint32_t records = 0;
        std::uint32_t gaps = 0;
        std::size_t outstanding = 0;  // messages not acknowledged, sent or not
        bool elsewhere = false;       // of another lane, or of numbers that come again
    };
    struct Ready {
        Outgoing message;
        std::uint64_t batch = 0;
    };
    [[nodiscard]] base::Status load();
    [[nodiscard]] base::Status open_reader();
    [[nodiscard]] base::Result<std::optional<spool::Record>> read();
    [[nodiscard]] base::Status check_same_lane(const spool::Record& record) const;
    [[nodiscard]] base::Status step_over(const base::Error& error);
    void give_up(std::uint64_t stream, spool::Gap gap);
    void note_start_over(spool::RecordId next);
    void reach_end();
    void close_batch();
    void settle();

    FeedName name_;
    OpenReader open_;
    std::unique_ptr<spool::LaneReader> reader_;
    BatchBuilder building_;
    std::optional<spool::Record> held_;  // starts the next batch
    std::deque<Ready> ready_;            // may be of several batches: damage closes two at once
    std::deque<Progress> batches_;       // oldest first
    std::uint64_t first_batch_ = 0;      // number of batches_.front()
    std::uint64_t last_read_ = 0;
    spool::RecordId last_built_;  // of the records that became batches
    bool held_up_ = false;
    bool drained_ = false;
    bool must_persist_ = false;

    // Of a part that ends:
    std::optional<std::uint64_t> end_;  // the first number that is not in it
    spool::RecordId before_;            // acknowledged when it was split: nothing is older
    bool exhausted_ = false;            // read to its end
    FeedCounters counters_;
};

}  // namespace mitral::uplink
