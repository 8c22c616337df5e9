#include "cloud/front/delay_line.hpp"

#include <algorithm>
#include <utility>

namespace mitral::cloud::front {

DelayLine::~DelayLine() {
    if (armed_)
        loop_.cancel(timer_);
}

void DelayLine::put(base::ByteView bytes, base::Milliseconds delay) {
    auto due = clock_.monotonic() + delay;
    if (!pieces_.empty())
        due = std::max(due, pieces_.back().due);
    pieces_.push_back({due, {bytes.begin(), bytes.end()}});
    size_ += bytes.size();
    if (!armed_)
        arm();
}

void DelayLine::arm() {
    armed_ = true;
    const auto wait = std::max(pieces_.front().due - clock_.monotonic(), base::Milliseconds(0));
    timer_ = loop_.after(wait + base::Milliseconds(1), [this] {
        armed_ = false;
        release_due();
    });
}

void DelayLine::release_due() {
    while (!pieces_.empty() && pieces_.front().due <= clock_.monotonic())
        release_first();
    if (!pieces_.empty() && !armed_)
        arm();
}

void DelayLine::release_all() {
    while (!pieces_.empty())
        release_first();
    if (std::exchange(armed_, false))
        loop_.cancel(timer_);
}

void DelayLine::release_first() {
    const auto piece = std::move(pieces_.front());
    pieces_.pop_front();
    size_ -= piece.bytes.size();
    release_(piece.bytes);
}

}  // namespace mitral::cloud::front
