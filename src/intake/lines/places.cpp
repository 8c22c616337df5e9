#include "intake/lines/places.hpp"

#include <unordered_map>

namespace mitral::intake {

Admission admit(std::span<const Place> held, uid_t user, std::size_t places) {
    std::unordered_map<uid_t, std::size_t> counts;
    for (const auto& place : held)
        ++counts[place.user];
    const auto own = counts[user];
    if (own >= places_per_user(places))
        return {"too many connections of this user", 0};
    if (held.size() < places)
        return {};
    // Of users that hold as many, the one with the longest idle connection.
    const Place* gone = nullptr;
    for (const auto& place : held) {
        if (gone == nullptr || counts[place.user] > counts[gone->user] ||
            (counts[place.user] == counts[gone->user] && place.last_active < gone->last_active))
            gone = &place;
    }
    if (gone == nullptr || counts[gone->user] <= own + 1)
        return {"too many connections", 0};
    return {{}, gone->connection};
}

}  // namespace mitral::intake
