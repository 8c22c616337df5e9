#include "base/secret.hpp"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

namespace mitral::base {

void wipe(MutableByteView bytes) noexcept {
    if (!bytes.empty())
        explicit_bzero(bytes.data(), bytes.size());
}

Secret::Secret(std::size_t size) {
    if (size == 0)
        return;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t mapped = (size + page - 1) / page * page;
    void* memory =
        mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::bad_alloc();
    // Best effort by design: a low RLIMIT_MEMLOCK must not stop the gateway (doctor reports it).
    (void)mlock(memory, mapped);
    (void)madvise(memory, mapped, MADV_DONTDUMP);
    (void)madvise(memory, mapped, MADV_WIPEONFORK);
    data_ = static_cast<std::uint8_t*>(memory);
    size_ = size;
    mapped_ = mapped;
}

Secret::Secret(ByteView bytes) : Secret(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), data_);
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        release();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        mapped_ = std::exchange(other.mapped_, 0);
    }
    return *this;
}

Secret::~Secret() {
    release();
}

void Secret::shrink(std::size_t size) noexcept {
    if (size >= size_)
        return;
    wipe(bytes().subspan(size));
    size_ = size;
}

void Secret::release() noexcept {
    if (data_ == nullptr)
        return;
    wipe({data_, mapped_});
    munmap(data_, mapped_);
    data_ = nullptr;
    size_ = mapped_ = 0;
}

}  // namespace mitral::base
