#include "cloud/log/lines.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "base/bytes.hpp"

namespace mitral::cloud::log {
namespace {

constexpr std::size_t chunk_size = 256 * 1024;

}  // namespace

base::Result<LineCount> skip_lines(int fd, std::uint64_t skip) {
    base::Bytes chunk(chunk_size);
    LineCount lines;
    for (std::uint64_t position = 0; lines.count < skip;) {
        const auto got = ::pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(position));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return base::fail_errno("read the message log");
        if (got == 0)
            break;
        const auto* const end = chunk.data() + got;
        for (const auto* at = chunk.data(); at < end && lines.count < skip;) {
            const auto* feed = static_cast<const std::uint8_t*>(
                std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
            if (feed == nullptr)
                break;
            ++lines.count;
            lines.whole_bytes = position + static_cast<std::uint64_t>(feed - chunk.data()) + 1;
            at = feed + 1;
        }
        position += static_cast<std::uint64_t>(got);
    }
    return lines;
}

base::Result<LineCount> count_lines(int fd) {
    return skip_lines(fd, std::numeric_limits<std::uint64_t>::max());
}

}  // namespace mitral::cloud::log
