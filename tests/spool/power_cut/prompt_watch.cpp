#include "spool/power_cut/prompt_watch.hpp"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

namespace {

constexpr int the_watch = 1;

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" {
int __wrap_inotify_init1(int flags);
int __wrap_inotify_add_watch(int fd, const char* path, unsigned mask);

// A datagram socket that is connected to itself.
int __wrap_inotify_init1(int) {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t size = sizeof(sa_family_t);  // the kernel chooses a name
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (fd < 0 || ::bind(fd, any, size) != 0)
        return -1;
    size = sizeof address;
    if (::getsockname(fd, any, &size) != 0 || ::connect(fd, any, size) != 0)
        return -1;
    return fd;
}

int __wrap_inotify_add_watch(int, const char* path, unsigned) {
    struct stat status{};
    return ::lstat(path, &status) == 0 ? the_watch : -1;
}
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

namespace mitral::spool::test {

void tell_of_a_change(int wake_descriptor) {
    inotify_event event{};
    event.wd = the_watch;
    event.mask = IN_CREATE;
    (void)!::send(wake_descriptor, &event, sizeof event, MSG_DONTWAIT);
}

}  // namespace mitral::spool::test
