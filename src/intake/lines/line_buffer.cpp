#include "intake/lines/line_buffer.hpp"

#include <cassert>
#include <cstring>

namespace mitral::intake {
namespace {

// What an idle connection keeps.
constexpr std::size_t resting_size = 64 * 1024;

}  // namespace

LineBuffer::LineBuffer(std::size_t longest, std::size_t padding)
    : longest_(longest), padding_(padding) {}

void LineBuffer::make_room(std::size_t wanted) {
    if (begin_ != 0) {
        std::memmove(storage_.data(), storage_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        scanned_ -= begin_;
        begin_ = 0;
    }
    const std::size_t needed = end_ + wanted + padding_;
    if (storage_.size() < needed) {
        storage_.resize(needed);
    } else if (end_ == 0 && storage_.size() > needed && storage_.size() > resting_size) {
        // After one long line the memory goes back.
        storage_.resize(needed > resting_size ? needed : resting_size);
        storage_.shrink_to_fit();
    }
}

base::MutableByteView LineBuffer::space(std::size_t wanted) {
    if (storage_.size() < end_ + wanted + padding_ || begin_ == end_)
        make_room(wanted);
    return {reinterpret_cast<std::uint8_t*>(storage_.data()) + end_,
            storage_.size() - padding_ - end_};
}

void LineBuffer::filled(std::size_t count) noexcept {
    assert(end_ + count + padding_ <= storage_.size());
    end_ += count;
}

LineBuffer::Line LineBuffer::next() noexcept {
    while (true) {
        const char* const from = storage_.data() + scanned_;
        const auto* const newline =
            scanned_ == end_ ? nullptr
                             : static_cast<const char*>(std::memchr(from, '\n', end_ - scanned_));
        const std::size_t line_end =
            newline != nullptr ? static_cast<std::size_t>(newline - storage_.data()) : end_;
        if (skipping_) {
            begin_ = scanned_ = newline != nullptr ? line_end + 1 : end_;
            if (newline == nullptr)
                return {};
            skipping_ = false;
            continue;
        }
        const std::string_view text(storage_.data() + begin_, line_end - begin_);
        if (text.size() > longest_) {
            skipping_ = newline == nullptr;
            begin_ = scanned_ = newline != nullptr ? line_end + 1 : end_;
            return {Line::Kind::too_long, {}};
        }
        scanned_ = line_end;
        if (newline == nullptr)
            return {};
        begin_ = scanned_ = line_end + 1;
        return {Line::Kind::line, text};
    }
}

}  // namespace mitral::intake
