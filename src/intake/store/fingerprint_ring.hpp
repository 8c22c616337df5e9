// The last fingerprints of one source in the order they came, found by id without a search.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "intake/store/fingerprint.hpp"

namespace mitral::intake {

// A ring and an index of two-byte positions into it (open addressing, at most half full). Starts
// small and is grown by its owner, who counts the bytes; a full ring forgets its oldest.
class FingerprintRing {
  public:
    static constexpr std::size_t smallest = 64;
    static constexpr std::size_t largest = 4096;

    // A power of two from 1 to `largest`.
    explicit FingerprintRing(std::size_t capacity);

    [[nodiscard]] static constexpr std::size_t bytes(std::size_t capacity) noexcept {
        return capacity * (sizeof(Fingerprint) + 2 * sizeof(std::uint16_t));
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return entries_.size(); }
    [[nodiscard]] bool full() const noexcept { return size_ == entries_.size(); }

    struct Found {
        std::uint64_t content;
        std::size_t age;  // how many came after it
    };
    [[nodiscard]] std::optional<Found> find(std::uint64_t id) const noexcept;
    // Precondition: not in the ring.
    void push(Fingerprint fingerprint) noexcept;
    // The newest; precondition: not empty.
    void pop() noexcept;
    // To twice the capacity; precondition: below `largest`.
    void grow();

  private:
    [[nodiscard]] std::size_t slot_of(std::uint64_t id) const noexcept;
    void put_in_index(std::size_t position) noexcept;
    void take_from_index(std::uint64_t id) noexcept;
    [[nodiscard]] std::size_t home(std::uint64_t id) const noexcept {
        return id & (index_.size() - 1);
    }
    [[nodiscard]] std::size_t after(std::size_t slot) const noexcept {
        return (slot + 1) & (index_.size() - 1);
    }
    [[nodiscard]] std::size_t position(std::size_t age) const noexcept {
        return (next_ - 1 - age) & (entries_.size() - 1);
    }

    std::vector<Fingerprint> entries_;
    std::vector<std::uint16_t> index_;  // position + 1; 0: free
    std::size_t next_ = 0;              // where the next one goes
    std::size_t size_ = 0;
};

}  // namespace mitral::intake
