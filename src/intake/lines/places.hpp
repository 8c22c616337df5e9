// Who gets a place among the connections: an adapter may be silent for hours, so idling is no
// offence, but no user keeps the others out by holding every place.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.hpp"

namespace mitral::intake {

struct Place {
    std::uint64_t connection = 0;
    uid_t user = 0;
    base::MonotonicTime last_active;
};

// One user holds at most half of the places.
[[nodiscard]] constexpr std::size_t places_per_user(std::size_t places) noexcept {
    return (places + 1) / 2;
}

struct Admission {
    std::string_view refusal;     // empty: come in…
    std::uint64_t makes_way = 0;  // …after this connection has gone; 0: there is a free place
};

// When all places are taken, the longest idle connection of the user that holds most makes way for
// a user that would still hold fewer; otherwise it would only start a game of taking turns.
[[nodiscard]] Admission admit(std::span<const Place> held, uid_t user, std::size_t places);

}  // namespace mitral::intake
