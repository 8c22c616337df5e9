// Which messages the hub has acknowledged since the last checkpoint, lane by lane: the list that
// goes with a checkpoint, and the hash the trust zone signs (docs/formats/checkpoint-1.md).
// Bounded; what is beyond the bound is counted. No I/O. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/crypto.hpp"
#include "uplink/messages.hpp"

namespace mitral::uplink {

class DeliveryList {
  public:
    // A line takes up to 106 bytes: so many fit into one message (240 KiB).
    static constexpr std::size_t max_lines = 2'000;

    // Of one lane. A line is "<end of the message id> <SHA-256 of the body, base64>".
    struct Lane {
        std::vector<std::string> lines;
        std::uint64_t unlisted = 0;  // acknowledged too, beyond the bound
        std::uint64_t gaps = 0;      // gap messages among them

        [[nodiscard]] bool empty() const noexcept { return lines.empty() && unlisted == 0; }
    };

    // Returns the lane's index.
    std::uint32_t add_lane(const FeedName& name);

    // It goes out now. The number is that of acknowledged().
    [[nodiscard]] std::uint64_t published(std::uint32_t lane, const Outgoing& message);
    void acknowledged(std::uint64_t number);
    // What is not acknowledged will be published again.
    void link_lost() noexcept { under_way_.clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] const Lane& lane(std::uint32_t index) const { return lanes_[index]; }
    // It is in a checkpoint now.
    void clear(std::uint32_t index);

  private:
    struct UnderWay {
        std::uint32_t lane = 0;
        bool gap = false;
        std::string line;  // empty: beyond the bound
    };
    std::vector<Lane> lanes_;
    std::vector<std::size_t> id_starts_;  // in a property bag, by lane
    std::unordered_map<std::uint64_t, UnderWay> under_way_;
    std::uint64_t last_number_ = 0;
    std::size_t size_ = 0;  // lines of all lanes
};

// SHA-256 over the lines, each ended by a line feed, and the decimal count of what is not listed.
[[nodiscard]] base::Sha256Digest hash_of(const DeliveryList::Lane& lane);

}  // namespace mitral::uplink
