#include "spool/lane_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace mitral::spool {
namespace {

constexpr unsigned files_mask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
constexpr unsigned lane_mask = files_mask | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr unsigned ancestor_mask = files_mask | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr int max_arm_attempts = 16;

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

base::Result<LaneWatch> LaneWatch::create(std::string lane_directory) {
    base::UniqueFd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify.valid())
        return base::fail_errno("inotify");
    LaneWatch watch(std::move(lane_directory), std::move(inotify));
    MITRAL_CHECK(watch.arm());
    return watch;
}

base::Status LaneWatch::arm() {
    // A directory may appear between the look at it and the watch on its parent: look again until
    // the nearest that exists is the one that was watched before the look.
    std::string watched;
    for (int attempt = 0; attempt < max_arm_attempts; ++attempt) {
        std::string nearest = directory_;
        int watch = inotify_add_watch(inotify_.get(), nearest.c_str(), lane_mask);
        if (watch >= 0) {
            lane_watch_ = watch;
            directory_changed_ = true;
            return {};
        }
        while (watch < 0) {
            if (errno != ENOENT && errno != EACCES && errno != ENOTDIR)
                return base::fail_errno("watch " + nearest);
            if (nearest == "/" || nearest == ".")
                return base::fail_errno("watch " + nearest);
            nearest = parent_of(nearest);
            watch = inotify_add_watch(inotify_.get(), nearest.c_str(), ancestor_mask);
        }
        if (nearest == watched)
            return {};
        watched = nearest;
    }
    return {};
}

base::Status LaneWatch::drain() {
    alignas(inotify_event) std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t count = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            break;
        if (count < 0)
            return base::fail_errno("read inotify");
        for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(count);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            note(event.wd, event.mask);
            at += sizeof event + event.len;
        }
    }
    return lane_watch_ < 0 ? arm() : base::Status{};
}

void LaneWatch::note(int watch, unsigned mask) {
    if ((mask & ~static_cast<unsigned>(IN_MODIFY)) != 0)
        directory_changed_ = true;
    if (watch == lane_watch_ && (mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        if ((mask & IN_MOVE_SELF) != 0)
            (void)inotify_rm_watch(inotify_.get(), lane_watch_);
        lane_watch_ = -1;
        directory_gone_ = true;
    }
}

bool LaneWatch::take_directory_changed() noexcept {
    return std::exchange(directory_changed_, false);
}

bool LaneWatch::take_directory_gone() noexcept {
    return std::exchange(directory_gone_, false);
}

}  // namespace mitral::spool
