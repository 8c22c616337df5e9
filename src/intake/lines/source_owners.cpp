#include "intake/lines/source_owners.hpp"

#include <algorithm>

namespace mitral::intake {

bool SourceOwners::claim(std::string_view source, uid_t user) {
    auto found = owners_.find(source);
    if (found == owners_.end()) {
        if (owners_.size() >= bound_)
            forget_one();
        found = owners_.try_emplace(std::string(source), Owner{user, 0}).first;
    }
    if (found->second.user != user)
        return false;
    found->second.last_use = ++uses_;
    return true;
}

void SourceOwners::forget_one() {
    std::unordered_map<uid_t, std::size_t> names;
    for (const auto& [name, owner] : owners_)
        ++names[owner.user];
    const auto most = std::ranges::max_element(names, {}, [](const auto& n) { return n.second; });
    auto oldest = owners_.end();
    for (auto it = owners_.begin(); it != owners_.end(); ++it) {
        if (it->second.user == most->first &&
            (oldest == owners_.end() || it->second.last_use < oldest->second.last_use))
            oldest = it;
    }
    owners_.erase(oldest);
}

}  // namespace mitral::intake
