#include "cloud/log/damage.hpp"

#include <algorithm>
#include <iterator>

#include "base/log.hpp"

namespace mitral::cloud::log {

void Damage::note(std::uint64_t first, std::uint64_t end, std::string_view segment) {
    if (first >= end || covers(first, end))
        return;
    base::log(base::Severity::critical, "message-log-damaged",
              {{"first_missing", first}, {"missing", end - first}, {"segment", segment}});
    auto known = std::uint64_t{0};
    auto at = gaps_.lower_bound(first);
    if (at != gaps_.begin() && std::prev(at)->second >= first)
        --at;
    while (at != gaps_.end() && at->first <= end) {
        known += at->second - at->first;
        first = std::min(first, at->first);
        end = std::max(end, at->second);
        at = gaps_.erase(at);
    }
    missing_ += end - first - known;
    if (gaps_.size() < most_gaps)
        gaps_.emplace(first, end);
}

bool Damage::covers(std::uint64_t first, std::uint64_t end) const {
    const auto behind = gaps_.upper_bound(first);
    return behind != gaps_.begin() && std::prev(behind)->second >= end;
}

}  // namespace mitral::cloud::log
