#include "cloud/log/tail.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "cloud/error.hpp"
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
            MITRAL_CHECK(enter(segments.front().first));
            continue;
        }
        if (position_ < here->bytes)
            return read_lines(here->bytes - position_, limit);
        if (here + 1 == segments.end())
            return std::string();
        MITRAL_CHECK(enter((here + 1)->first));
    }
}

base::Status Tail::seek() {
    const auto& segments = log_.segments();
    const auto wanted = std::clamp(wanted_, log_.first_offset(), log_.end_offset());
    const auto after = std::upper_bound(
        segments.begin(), segments.end(), wanted,
        [](std::uint64_t offset, const Segment& segment) { return offset < segment.first; });
    const auto first = (after - 1)->first;
    MITRAL_CHECK(enter(first));
    MITRAL_TRY(const auto skipped, skip_lines(file_.get(), wanted - first));
    position_ = skipped.whole_bytes;
    return {};
}

base::Status Tail::enter(std::uint64_t first) {
    MITRAL_TRY(file_, base::open_file(log_.path_of(Segment{.first = first}), O_RDONLY));
    segment_first_ = first;
    position_ = 0;
    return {};
}

base::Result<std::string> Tail::read_lines(std::uint64_t available, std::size_t limit) {
    for (std::size_t window = std::max<std::size_t>(limit, 1024);; window *= 2) {
        std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(window, available)),
                         '\0');
        const auto got =
            ::pread(file_.get(), text.data(), text.size(), static_cast<off_t>(position_));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return base::fail_errno("read the message log");
        text.resize(static_cast<std::size_t>(got));
        const auto feed = text.rfind('\n');
        if (feed != std::string::npos) {
            text.resize(feed + 1);
            position_ += text.size();
            return text;
        }
        if (static_cast<std::uint64_t>(got) == available || got == 0)
            return base::fail(CloudError::storage, "the message log ends within a line");
    }
}

}  // namespace mitral::cloud::log
