// The query language of IoT Hub over twins, as text and as a tree. Private to cloud.
//   SELECT [TOP n] * | item [AS name], … FROM devices | devices.modules [WHERE condition]
//   [GROUP BY path, …]
// An item is a path (properties.reported.x) or COUNT(), SUM, AVG, MIN, MAX of one. Conditions know
// =,
// !=, <>, <, <=, >, >=, IN, NIN, NOT IN, AND, OR, NOT and the functions of function_names().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/json.hpp"

namespace mitral::cloud::query {

inline constexpr std::size_t max_query = 8192;  // characters, as in IoT Hub
inline constexpr std::size_t max_nesting = 64;  // parentheses, NOTs and calls within each other

using Path = std::vector<std::string>;  // at least one name

struct Expression {
    enum class Kind : std::uint8_t {
        path,
        literal,
        call,
        both,     // AND
        either,   // OR
        negated,  // NOT
        equal,
        different,
        less,
        at_most,
        more,
        at_least,
        among,      // IN: operands are the value, then the list
        not_among,  // NIN
    };
    Kind kind = Kind::literal;
    Path path{};
    Json literal{};
    std::string function{};  // upper case
    std::vector<Expression> operands{};
};

struct Item {
    enum class Kind : std::uint8_t { path, count, sum, average, minimum, maximum };
    Kind kind = Kind::path;
    Path path{};  // empty for COUNT()
    std::string name{};
};

struct Query {
    enum class Collection : std::uint8_t { devices, modules };
    bool everything = false;  // SELECT *
    std::vector<Item> items{};
    std::optional<std::size_t> top{};
    Collection collection = Collection::devices;
    std::optional<Expression> where{};
    std::vector<Path> group_by{};

    // One row a group, or one in all.
    [[nodiscard]] bool aggregates() const;
};

// Fails with invalid_argument; the text begins with "column N: ", counted from 1.
[[nodiscard]] base::Result<Query> parse(std::string_view text);

}  // namespace mitral::cloud::query
