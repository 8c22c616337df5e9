// Tells when a lane's directory changes (inotify(7)), also before the directory exists.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace mitral::spool {

class LaneWatch {
  public:
    [[nodiscard]] static base::Result<LaneWatch> create(std::string lane_directory);

    [[nodiscard]] int descriptor() const noexcept { return inotify_.get(); }
    // Reads what has happened. Call before looking at the files: what changes later wakes again.
    [[nodiscard]] base::Status drain();
    // Files came or went since the last call (true at first).
    [[nodiscard]] bool take_directory_changed() noexcept;
    void set_directory_changed() noexcept { directory_changed_ = true; }
    // The directory itself was removed since the last call: another one may stand in its place.
    [[nodiscard]] bool take_directory_gone() noexcept;

  private:
    LaneWatch(std::string directory, base::UniqueFd inotify)
        : directory_(std::move(directory)), inotify_(std::move(inotify)) {}
    // Watches the lane, or the nearest directory above it that exists.
    [[nodiscard]] base::Status arm();
    void note(int watch, unsigned mask);

    std::string directory_;
    base::UniqueFd inotify_;
    int lane_watch_ = -1;
    bool directory_changed_ = true;
    bool directory_gone_ = false;
};

}  // namespace mitral::spool
