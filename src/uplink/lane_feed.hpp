// One lane of one spool on its way to the hub: reads records, forms batches and messages, and moves
// the acknowledged position over batches that are acknowledged as a whole and without a hole before
// them. Not thread-safe.
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
};

class LaneFeed {
  public:
    // The spool may appear after us: opening is tried again with the first call that needs it.
    using OpenReader = std::function<base::Result<std::unique_ptr<spool::LaneReader>>()>;
    LaneFeed(FeedName name, OpenReader open);

    // The next message; nullptr: none until woken(). Reads ahead by no more than what one batch, or
    // the damage behind it, makes. An error concerns this lane only; the call may be repeated
    // later.
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

    // The reader's descriptor became readable.
    void woken() noexcept { drained_ = false; }
    [[nodiscard]] bool drained() const noexcept { return drained_ && ready_.empty(); }
    [[nodiscard]] int wake_descriptor() const noexcept {
        return reader_ ? reader_->wake_descriptor() : -1;
    }

    [[nodiscard]] const FeedName& name() const noexcept { return name_; }
    [[nodiscard]] const FeedCounters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::uint64_t position() const noexcept {
        return reader_ ? reader_->acknowledged() : 0;
    }
    // Records not yet acknowledged; 0 when the lane cannot say.
    [[nodiscard]] std::uint64_t backlog();

  private:
    struct Progress {
        std::uint64_t last_sequence = 0;
        std::uint32_t records = 0;
        std::uint32_t gaps = 0;
        std::size_t outstanding = 0;  // messages not acknowledged, sent or not
    };
    struct Ready {
        Outgoing message;
        std::uint64_t batch = 0;
    };
    [[nodiscard]] base::Status load();
    [[nodiscard]] base::Status step_over(const base::Error& error);
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
    bool drained_ = false;
    bool must_persist_ = false;
    FeedCounters counters_;
};

}  // namespace mitral::uplink
