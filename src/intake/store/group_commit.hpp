// When the open group is committed: once for all who put something into it during a pass of the
// event loop, or have gathered for the configured delay, and at once when it has become large.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "base/event_loop.hpp"
#include "intake/store/reading_store.hpp"

namespace mitral::intake {

// Not thread-safe; lives on the loop's thread.
class GroupCommit {
  public:
    struct Limits {
        std::size_t bytes = 1024 * 1024;  // a group this large is committed at once
        base::Milliseconds delay{0};      // gather this long before a commit; 0: one pass
    };
    // `closed` answers those who wait, whether the group held anything or not.
    GroupCommit(base::EventLoop& loop, ReadingStore& store, Limits limits,
                std::function<void(bool committed)> closed);
    ~GroupCommit();
    GroupCommit(const GroupCommit&) = delete;
    GroupCommit& operator=(const GroupCommit&) = delete;

    // Somebody has put something into the group, or waits for an answer without.
    void touched();
    void close();

  private:
    base::EventLoop& loop_;
    ReadingStore& store_;
    Limits limits_;
    std::function<void(bool)> closed_;
    std::optional<base::EventLoop::TimerId> timer_;
};

}  // namespace mitral::intake
