// The messages that wait for their PUBACK. Packet ids are unique among them; look-up, removal and
// the oldest one cost the same however many wait. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"

namespace mitral::uplink {

// Whose message it is: which feed, and which of its batches (uplink/lane_feed.hpp); and its number
// in the list of deliveries, or that of a checkpoint (uplink/checkpoints.hpp).
struct Tag {
    static constexpr std::uint32_t checkpoint = 0xFFFF'FFFF;  // instead of a feed

    std::uint32_t feed = 0;
    std::uint64_t batch = 0;
    std::uint64_t number = 0;
    bool operator==(const Tag&) const = default;
};

class InFlight {
  public:
    static constexpr std::uint16_t max_window = 4096;

    // `window` messages at a time, 1…max_window.
    explicit InFlight(std::uint16_t window);

    [[nodiscard]] bool full() const noexcept { return count_ >= window_; }
    [[nodiscard]] std::uint16_t count() const noexcept { return count_; }

    // Precondition: !full(). The packet id, never 0.
    [[nodiscard]] std::uint16_t add(Tag tag, base::MonotonicTime now);

    struct Entry {
        Tag tag;
        base::MonotonicTime sent;
    };
    // nullopt: no message waits under that id.
    [[nodiscard]] std::optional<Entry> remove(std::uint16_t packet_id);
    [[nodiscard]] std::optional<base::MonotonicTime> oldest() const noexcept;

  private:
    struct Slot {
        Entry entry;
        std::uint16_t packet_id = 0;  // 0: free
        std::uint16_t older = 0;      // neighbours in order of sending; `end_` at either end
        std::uint16_t newer = 0;
    };
    [[nodiscard]] std::size_t slot_of(std::uint16_t packet_id) const noexcept {
        return packet_id & (slots_.size() - 1);
    }

    std::vector<Slot> slots_;  // a power of two, so that successive ids fall on successive slots
    std::uint16_t window_;
    std::uint16_t end_;
    std::uint16_t oldest_;
    std::uint16_t newest_;
    std::uint16_t count_ = 0;
    std::uint16_t last_id_ = 0;
};

}  // namespace mitral::uplink
