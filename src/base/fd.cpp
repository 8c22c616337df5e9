#include "base/fd.hpp"

#include <unistd.h>

namespace mitral::base {

void UniqueFd::reset(int fd) noexcept {
    // Linux releases the descriptor even when close() reports EINTR: retrying could close
    // another's.
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = fd;
}

}  // namespace mitral::base
