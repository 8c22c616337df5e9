#include "cloud/log/tail.hpp"

#include <fcntl.h>

#include <algorithm>

#include "base/file.hpp"
#include "cloud/log/checksum.hpp"
#include "cloud/log/lines.hpp"

namespace mitral::cloud::log {

base::Result<std::string> Tail::next(std::size_t limit) {
    if (!file_.valid())
        MITRAL_CHECK(seek());
    for (;;) {
        const auto& segments = log_.segments();
        const auto here =
            std::find_if(segments.begin(), segments.end(),
                         [&](const Segment& segment) { return segment.first == segment_first_; });
        if (here == segments.end()) {  // dropped under a slow reader: go on with the oldest
            MITRAL_CHECK(enter(segments.front()));
            next_ = segments.front().first;
            continue;
        }
        if (position_ < here->bytes) {
            MITRAL_TRY(auto text, read_on(here->bytes - position_, limit));
            if (!text.empty())
                return text;
            continue;
        }
        const bool is_last = here + 1 == segments.end();
        expect(is_last ? log_.end_offset() : (here + 1)->first);
        if (is_last)
            return std::string();
        MITRAL_CHECK(enter(*(here + 1)));
    }
}

base::Status Tail::seek() {
    const auto& segments = log_.segments();
    next_ = std::clamp(next_, log_.first_offset(), log_.end_offset());
    const auto after = std::upper_bound(
        segments.begin(), segments.end(), next_,
        [](std::uint64_t offset, const Segment& segment) { return offset < segment.first; });
    const auto& segment = *(after - 1);
    MITRAL_CHECK(enter(segment));
    MITRAL_TRY(position_, find_offset(file_.get(), segment.bytes, next_));
    return {};
}

base::Status Tail::enter(const Segment& segment) {
    MITRAL_TRY(file_, base::open_file(log_.path_of(segment), O_RDONLY));
    segment_first_ = segment.first;
    position_ = 0;
    return {};
}

base::Result<std::string> Tail::read_on(std::uint64_t available, std::size_t limit) {
    MITRAL_TRY(auto text, read_lines(file_.get(), position_, available, limit));
    // A file that has become shorter than it was written holds nothing more.
    position_ += text.empty() ? available : text.size();
    return without_damage(std::move(text));
}

std::string Tail::without_damage(std::string text) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto size = std::min(text.find('\n', at), text.size()) - at;
        const auto offset = offset_of(std::string_view(text).substr(at, size));
        const auto whole = std::min(size + 1, text.size() - at);
        if (offset && *offset >= next_ && *offset < log_.end_offset() && whole == size + 1) {
            expect(*offset);
            next_ = *offset + 1;
            if (kept != at)
                std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), whole,
                            text.begin() + static_cast<std::ptrdiff_t>(kept));
            kept += whole;
        }
        at += whole;
    }
    text.resize(kept);
    return text;
}

// All before `offset` should have come by now.
void Tail::expect(std::uint64_t offset) {
    log_.damage().note(next_, offset, log_.path_of(Segment{.first = segment_first_}));
    next_ = std::max(next_, offset);
}

}  // namespace mitral::cloud::log
