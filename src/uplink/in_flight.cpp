#include "uplink/in_flight.hpp"

#include <algorithm>
#include <bit>

namespace mitral::uplink {

InFlight::InFlight(std::uint16_t window)
    : slots_(std::bit_ceil(
          static_cast<std::size_t>(std::clamp<std::uint16_t>(window, 1, max_window)))),
      window_(std::clamp<std::uint16_t>(window, 1, max_window)),
      end_(static_cast<std::uint16_t>(slots_.size())),
      oldest_(end_),
      newest_(end_) {}

std::uint16_t InFlight::add(Tag tag, base::MonotonicTime now) {
    // Ends: fewer than slots_.size() messages wait, and successive ids visit every slot.
    do {
        last_id_ = last_id_ == 0xFFFF ? 1 : static_cast<std::uint16_t>(last_id_ + 1);
    } while (slots_[slot_of(last_id_)].packet_id != 0);

    const auto index = static_cast<std::uint16_t>(slot_of(last_id_));
    slots_[index] = {{tag, now}, last_id_, newest_, end_};
    if (newest_ != end_)
        slots_[newest_].newer = index;
    else
        oldest_ = index;
    newest_ = index;
    ++count_;
    return last_id_;
}

std::optional<InFlight::Entry> InFlight::remove(std::uint16_t packet_id) {
    Slot& slot = slots_[slot_of(packet_id)];
    if (packet_id == 0 || slot.packet_id != packet_id)
        return std::nullopt;
    (slot.older != end_ ? slots_[slot.older].newer : oldest_) = slot.newer;
    (slot.newer != end_ ? slots_[slot.newer].older : newest_) = slot.older;
    slot.packet_id = 0;
    --count_;
    return slot.entry;
}

std::optional<base::MonotonicTime> InFlight::oldest() const noexcept {
    if (oldest_ == end_)
        return std::nullopt;
    return slots_[oldest_].entry.sent;
}

}  // namespace mitral::uplink
