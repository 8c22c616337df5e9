#include "intake/store/fingerprint_ring.hpp"

#include <utility>

namespace mitral::intake {

FingerprintRing::FingerprintRing(std::size_t capacity)
    : entries_(capacity), index_(2 * capacity, 0) {}

// Where the id stands in the index, or the free slot where it would.
std::size_t FingerprintRing::slot_of(std::uint64_t id) const noexcept {
    std::size_t slot = home(id);
    while (index_[slot] != 0 && entries_[index_[slot] - 1U].id != id)
        slot = after(slot);
    return slot;
}

std::optional<FingerprintRing::Found> FingerprintRing::find(std::uint64_t id) const noexcept {
    const auto entry = index_[slot_of(id)];
    if (entry == 0)
        return std::nullopt;
    const std::size_t at = entry - 1U;
    return Found{entries_[at].content, (next_ - 1 - at) & (entries_.size() - 1)};
}

void FingerprintRing::push(Fingerprint fingerprint) noexcept {
    if (full())
        take_from_index(entries_[next_].id);  // the oldest stands where the next one goes
    else
        ++size_;
    entries_[next_] = fingerprint;
    put_in_index(next_);
    next_ = (next_ + 1) & (entries_.size() - 1);
}

void FingerprintRing::pop() noexcept {
    next_ = position(0);
    take_from_index(entries_[next_].id);
    --size_;
}

void FingerprintRing::grow() {
    FingerprintRing larger(2 * entries_.size());
    for (std::size_t age = size_; age-- > 0;)
        larger.push(entries_[position(age)]);
    *this = std::move(larger);
}

void FingerprintRing::put_in_index(std::size_t at) noexcept {
    index_[slot_of(entries_[at].id)] = static_cast<std::uint16_t>(at + 1);
}

// Moves up what stood behind it because its own slot was taken, so that no search ends too early.
void FingerprintRing::take_from_index(std::uint64_t id) noexcept {
    std::size_t hole = slot_of(id);
    for (std::size_t slot = after(hole); index_[slot] != 0; slot = after(slot)) {
        const std::size_t wanted = home(entries_[index_[slot] - 1U].id);
        const std::size_t mask = index_.size() - 1;
        if (((slot - wanted) & mask) >= ((slot - hole) & mask)) {
            index_[hole] = index_[slot];
            hole = slot;
        }
    }
    index_[hole] = 0;
}

}  // namespace mitral::intake
