#include "intake/hl7/mllp_decoder.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace mitral::intake::hl7 {

base::MutableByteView MllpDecoder::space(std::size_t wanted) {
    if (begin_ != 0) {
        std::memmove(storage_.data(), storage_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        scanned_ -= begin_;
        begin_ = 0;
    }
    const std::size_t needed = end_ + wanted;
    if (storage_.size() < needed) {
        // A large frame arrives in many pieces: twice the room, so that it is not moved for each.
        storage_.resize(std::max(needed, end_ == 0 ? needed : 2 * end_));
    } else if (end_ == 0 && storage_.size() > std::max(wanted, resting_bytes)) {
        storage_.resize(std::max(wanted, resting_bytes));
        storage_.shrink_to_fit();
    }
    return {reinterpret_cast<std::uint8_t*>(storage_.data()) + end_, storage_.size() - end_};
}

void MllpDecoder::filled(std::size_t count) noexcept {
    assert(end_ + count <= storage_.size());
    end_ += count;
}

// `to` when it is not there.
std::size_t MllpDecoder::find(char byte, std::size_t from, std::size_t to) const noexcept {
    if (from == to)
        return to;
    const void* found = std::memchr(storage_.data() + from, byte, to - from);
    return found == nullptr
               ? to
               : static_cast<std::size_t>(static_cast<const char*>(found) - storage_.data());
}

MllpDecoder::Event MllpDecoder::next() noexcept {
    for (;;) {
        switch (state_) {
            case State::outside:
                if (!enter_frame())
                    return {};
                break;
            case State::inside:
                return leave_frame();
            case State::passing_over:
                if (!pass_over())
                    return {};
                break;
        }
    }
}

bool MllpDecoder::enter_frame() noexcept {
    if (trailer_may_follow_ && begin_ < end_) {
        begin_ += storage_[begin_] == frame_trailer ? 1U : 0U;
        trailer_may_follow_ = false;
    }
    const std::size_t start = find(frame_start, begin_, end_);
    junk_ += start - begin_;
    if (start == end_) {
        begin_ = scanned_ = end_;
        return false;
    }
    begin_ = scanned_ = start + 1;
    state_ = State::inside;
    return true;
}

MllpDecoder::Event MllpDecoder::leave_frame() noexcept {
    const std::size_t stop = find(frame_end, scanned_, end_);
    const std::size_t restart = find(frame_start, scanned_, stop);
    const std::string_view text(storage_.data() + begin_, restart - begin_);
    if (text.size() > longest_) {
        // A part of it is junk already; where it ends is found in the next step.
        begin_ = scanned_ = restart;
        state_ = State::passing_over;
        junk_ += text.size();
        return {Kind::too_long, text.substr(0, std::min(longest_, kept_of_too_long))};
    }
    if (restart < stop) {
        begin_ = scanned_ = restart + 1;
        junk_ += text.size();
        return {Kind::unfinished, text};
    }
    if (stop == end_) {
        scanned_ = end_;
        return {};
    }
    begin_ = scanned_ = stop + 1;
    state_ = State::outside;
    trailer_may_follow_ = true;
    return {Kind::frame, text};
}

bool MllpDecoder::pass_over() noexcept {
    const std::size_t stop = find(frame_end, begin_, end_);
    const std::size_t restart = find(frame_start, begin_, stop);
    junk_ += restart - begin_;
    begin_ = scanned_ = restart;
    if (restart == end_)
        return false;
    if (restart == stop) {  // its own end
        begin_ = scanned_ = stop + 1;
        trailer_may_follow_ = true;
    }
    state_ = State::outside;
    return true;
}

}  // namespace mitral::intake::hl7
