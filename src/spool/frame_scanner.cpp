#include "spool/frame_scanner.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mitral::spool {

base::Result<std::size_t> read_at(int fd, base::MutableByteView into, std::uint64_t offset) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const ssize_t count = ::pread(fd, into.data() + filled, into.size() - filled,
                                      static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return base::fail_errno("read segment");
        if (count == 0)
            break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

base::Result<base::ByteView> FrameScanner::have(std::size_t size) {
    const bool inside = offset_ >= buffer_start_ && offset_ + size <= buffer_start_ + buffer_size_;
    if (!inside) {
        const auto available = static_cast<std::size_t>(std::min<std::uint64_t>(
            std::max(block_size, size), limit_ > offset_ ? limit_ - offset_ : 0));
        if (buffer_.size() < available)
            buffer_.resize(available);
        MITRAL_TRY(buffer_size_,
                   read_at(fd_, base::MutableByteView(buffer_).first(available), offset_));
        buffer_start_ = offset_;
    }
    const auto within = static_cast<std::size_t>(offset_ - buffer_start_);
    return base::ByteView(buffer_).subspan(within, std::min(size, buffer_size_ - within));
}

base::Result<std::optional<FrameScanner::Frame>> FrameScanner::peek() {
    if (limit_ < offset_ + frame_header_size)
        return std::nullopt;
    MITRAL_TRY(const auto head, have(frame_header_size));
    const auto header = decode_frame_header(head);
    if (!header || offset_ + header->frame_size() > limit_)
        return std::nullopt;
    MITRAL_TRY(const auto bytes, have(header->frame_size()));
    if (bytes.size() < header->frame_size())
        return std::nullopt;
    return Frame{*header, bytes, offset_ + header->frame_size()};
}

base::Result<std::optional<FrameScanner::Frame>> FrameScanner::next() {
    MITRAL_TRY(auto frame, peek());
    if (frame)
        advance(*frame);
    return frame;
}

}  // namespace mitral::spool
