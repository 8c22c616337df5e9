// Strict walks over simdjson's On-Demand values, with the API that simdjson 3 and 4 share. Private
// to the line parser.
#pragma once

#include <simdjson.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "intake/store/refusal.hpp"

namespace mitral::intake::json {

using Value = simdjson::ondemand::value;

// Where in the line something stands; turned into words only for a refusal.
struct Place {
    const char* list = nullptr;  // "obs"; null: the line itself
    std::size_t index = 0;
};

[[nodiscard]] std::unexpected<Refusal> refuse(std::string_view reason);
[[nodiscard]] std::unexpected<Refusal> refuse(Place place, std::string_view reason);

// At most 24 characters, everything outside the identifier alphabet as '?'.
[[nodiscard]] std::string fragment(std::string_view text);

[[nodiscard]] std::expected<std::string_view, Refusal> text(Value& value, Place place,
                                                            std::string_view key);
// The digits as they stand in the line.
[[nodiscard]] std::string_view number_token(Value& value);

[[nodiscard]] std::unexpected<Refusal> refuse_key(Place place, std::string_view key,
                                                  std::string_view problem);

// Up to the closing quote, escapes as they stand.
[[nodiscard]] std::string_view raw_text(simdjson::ondemand::raw_json_string raw) noexcept;

// Calls visit(index into `names`, value) for each member; a key that is not in `names`, or comes
// twice, is refused. Keys are compared as they stand: nobody needs to escape a letter of "id".
template <std::size_t count, typename Visit>
[[nodiscard]] Acceptance for_members(simdjson::ondemand::object& object, Place place,
                                     const std::array<std::string_view, count>& names,
                                     Visit&& visit) {
    unsigned seen = 0;
    for (auto member : object) {
        simdjson::ondemand::field field;
        if (std::move(member).get(field) != simdjson::SUCCESS)
            return refuse(place, "not well-formed JSON");
        std::size_t index = 0;
        while (index < count && !field.key().unsafe_is_equal(names[index]))
            ++index;
        if (index == count)
            return refuse_key(place, raw_text(field.key()), "unknown key");
        if ((seen >> index & 1U) != 0)
            return refuse_key(place, names[index], "key given twice:");
        seen |= 1U << index;
        if (auto accepted = visit(index, field.value()); !accepted)
            return accepted;
    }
    return {};
}

}  // namespace mitral::intake::json
