// Key material and tokens in normal-world memory: locked in RAM, left out of core dumps, wiped when
// released, and impossible to print or copy by accident.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>

#include "base/bytes.hpp"

namespace mitral::base {

// Overwrites memory in a way the compiler may not remove.
void wipe(MutableByteView bytes) noexcept;

// A fixed-size secret on pages of its own (mmap + mlock + MADV_DONTDUMP + MADV_WIPEONFORK).
// Where RLIMIT_MEMLOCK forbids locking the pages are still wiped and kept out of dumps.
class Secret {
  public:
    Secret() noexcept = default;
    explicit Secret(std::size_t size);
    // Copies `bytes` in; the caller wipes its own copy.
    explicit Secret(ByteView bytes);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    [[nodiscard]] ByteView view() const noexcept { return {data_, size_}; }
    [[nodiscard]] MutableByteView bytes() noexcept { return {data_, size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    // Lowers the size (a token that came out shorter than its bound); what lies beyond is wiped.
    void shrink(std::size_t size) noexcept;

    friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

  private:
    void release() noexcept;

    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;
};

}  // namespace mitral::base
