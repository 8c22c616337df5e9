#include "cloud/mqtt/held_acknowledgements.hpp"

#include <algorithm>

namespace mitral::cloud::mqtt {

HeldAcknowledgements::~HeldAcknowledgements() {
    if (!held_.empty())
        loop_.cancel(timer_);
}

void HeldAcknowledgements::hold(std::uint16_t packet_id, base::Milliseconds delay) {
    auto due = clock_.monotonic() + delay;
    const bool first = held_.empty();
    if (!first)
        due = std::max(due, held_.back().due);
    held_.push_back({due, packet_id});
    if (first)
        arm();
}

void HeldAcknowledgements::arm() {
    const auto wait = std::max(held_.front().due - clock_.monotonic(), base::Milliseconds(0));
    timer_ = loop_.after(wait + base::Milliseconds(1), [this] { release_due(); });
}

void HeldAcknowledgements::release_due() {
    while (!held_.empty() && held_.front().due <= clock_.monotonic()) {
        const auto packet_id = held_.front().packet_id;
        held_.pop_front();
        release_(packet_id);
    }
    if (!held_.empty())
        arm();
}

}  // namespace mitral::cloud::mqtt
