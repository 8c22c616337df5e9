#include "vault/refusal_tally.hpp"

namespace mitral::vault {
namespace {

constexpr auto all_others = static_cast<uid_t>(-1);

}  // namespace

std::optional<std::uint64_t> RefusalTally::add(uid_t uid, base::MonotonicTime now) {
    if (!entries_.contains(uid) && entries_.size() >= max_uids)
        uid = all_others;
    auto [found, is_new] = entries_.try_emplace(uid, Entry{now, 0});
    Entry& entry = found->second;
    ++entry.count;
    if (!is_new && now - entry.told < interval)
        return std::nullopt;
    const auto count = entry.count;
    entry = {now, 0};
    return count;
}

}  // namespace mitral::vault
