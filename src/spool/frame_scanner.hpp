// Walks the frames of a segment by their headers and checksums, without a key, a block at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "spool/segment_format.hpp"

namespace mitral::spool {

// Reads `into.size()` bytes at `offset`, fewer only at the end of the file.
[[nodiscard]] base::Result<std::size_t> read_at(int fd, base::MutableByteView into,
                                                std::uint64_t offset);

class FrameScanner {
  public:
    struct Frame {
        FrameHeader header;
        base::ByteView bytes;   // valid until the next call
        std::uint64_t end = 0;  // offset in the file behind it
    };

    // Does not own `fd`.
    explicit FrameScanner(int fd, std::uint64_t start = header_size) noexcept
        : fd_(fd), offset_(start) {}

    // Nothing is read at or beyond `limit`; it may grow, never shrink.
    void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }

    // The frame at the present position, which moves behind it. nullopt: no whole frame lies
    // between here and the limit. Its checksum is the caller's to verify.
    [[nodiscard]] base::Result<std::optional<Frame>> next();
    // As next(), but stays in front of the frame.
    [[nodiscard]] base::Result<std::optional<Frame>> peek();
    void advance(const Frame& frame) noexcept { offset_ = frame.end; }

    [[nodiscard]] std::uint64_t position() const noexcept { return offset_; }
    [[nodiscard]] bool at_limit() const noexcept { return offset_ >= limit_; }

  private:
    static constexpr std::size_t block_size = 256 * 1024;

    // Makes `size` bytes at the position available, when the file and the limit have them.
    [[nodiscard]] base::Result<base::ByteView> have(std::size_t size);

    int fd_;
    std::uint64_t offset_;
    std::uint64_t limit_ = 0;
    base::Bytes buffer_;
    std::uint64_t buffer_start_ = 0;
    std::size_t buffer_size_ = 0;
};

}  // namespace mitral::spool
