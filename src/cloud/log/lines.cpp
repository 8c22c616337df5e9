#include "cloud/log/lines.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cloud/log/checksum.hpp"

namespace mitral::cloud::log {
namespace {

constexpr std::size_t chunk_size = 256 * 1024;

base::Result<std::string> read_at(int fd, std::uint64_t position, std::uint64_t size) {
    std::string text(static_cast<std::size_t>(size), '\0');
    for (;;) {
        const auto got = ::pread(fd, text.data(), text.size(), static_cast<off_t>(position));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return base::fail_errno("read the message log");
        text.resize(static_cast<std::size_t>(got));
        return text;
    }
}

}  // namespace

base::Result<std::string> read_lines(int fd, std::uint64_t position, std::uint64_t available,
                                     std::size_t limit) {
    for (std::size_t window = std::max<std::size_t>(limit, 1024);; window *= 2) {
        const auto wanted =
            std::min<std::uint64_t>({window, available, std::max(limit, longest_line)});
        MITRAL_TRY(auto text, read_at(fd, position, wanted));
        if (const auto feed = text.rfind('\n'); feed != std::string::npos) {
            text.resize(feed + 1);
            return text;
        }
        if (text.size() < wanted || wanted == available || wanted >= longest_line)
            return text;
    }
}

base::Result<std::uint64_t> find_offset(int fd, std::uint64_t bytes, std::uint64_t offset) {
    for (std::uint64_t position = 0; position < bytes;) {
        MITRAL_TRY(const auto text, read_lines(fd, position, bytes - position, chunk_size));
        if (text.empty())
            return bytes;  // shorter than it was
        for (std::size_t at = 0; at < text.size();) {
            const auto line = std::string_view(text).substr(at, text.find('\n', at) - at);
            if (claimed_offset_of(line).value_or(0) >= offset)
                return position + at;
            at += line.size() + 1;
        }
        position += text.size();
    }
    return bytes;
}

}  // namespace mitral::cloud::log
