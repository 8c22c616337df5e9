// How often the log tells of the same refusal: at once, then once a minute with how many there
// were. Whoever may connect can cause as many as he likes. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>

#include "base/clock.hpp"

namespace mitral::vault {

class RefusalTally {
  public:
    static constexpr base::Seconds interval{60};
    static constexpr std::size_t max_uids = 64;  // more of them share one entry

    // One more. When it is time to tell: how many there were since the last time, this included.
    [[nodiscard]] std::optional<std::uint64_t> add(uid_t uid, base::MonotonicTime now);

  private:
    struct Entry {
        base::MonotonicTime told;
        std::uint64_t count = 0;
    };
    std::map<uid_t, Entry> entries_;
};

}  // namespace mitral::vault
