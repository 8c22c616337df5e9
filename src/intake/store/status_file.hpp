// What an adapter does, as a small JSON file for `mitral status` and the demo's view: written when
// something has changed, at most once a second, and never on a clock of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

// The object under "lanes". `queued` counts committed records that the uplink has not acknowledged.
[[nodiscard]] std::string describe_lanes(const spool::Writer& writer);

class StatusFile {
  public:
    static constexpr base::Milliseconds interval{1000};

    // `render` gives the content; an empty path writes nothing.
    StatusFile(base::EventLoop& loop, const base::Clock& clock, std::string path,
               std::function<std::string()> render);
    ~StatusFile();
    StatusFile(const StatusFile&) = delete;
    StatusFile& operator=(const StatusFile&) = delete;

    void changed();
    void write_now();

  private:
    base::EventLoop& loop_;
    const base::Clock& clock_;
    std::string path_;
    std::function<std::string()> render_;
    std::optional<base::EventLoop::TimerId> timer_;
    std::optional<base::MonotonicTime> written_;
    bool failing_ = false;  // logged once
};

}  // namespace mitral::intake
