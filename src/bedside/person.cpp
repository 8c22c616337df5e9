#include "bedside/person.hpp"

#include <fmt/format.h>

#include <array>
#include <random>
#include <string_view>

namespace mitral::bedside {
namespace {

struct Names {
    std::array<std::string_view, 4> families;
    std::array<std::string_view, 4> given;
};

constexpr Names cyrillic{{"Заречнов", "Тополева", "Верстовский", "Щукарёва"},
                         {"Всеволод", "Аграфена", "Ярополк", "Евдокия"}};
// ISO 8859-1 bytes: é E9, ö F6, ß DF, ñ F1, ç E7, ü FC.
constexpr Names western{{"Montbr\xE9tane", "Gr\xF6\xDF\x77\x61ld",
                         "Pe\xF1"
                         "averde",
                         "Ala\xE7"
                         "ard"},
                        {"Th\xE9odule", "J\xFCrg", "I\xF1igo",
                         "Andr\xE9"
                         "e"}};
constexpr Names plain{{"Oakenshaw", "Quimbleton", "Dunmarrow", "Felgrove"},
                      {"Barnabas", "Philippa", "Thaddeus", "Winifred"}};

const Names& names_in(Letters letters) {
    switch (letters) {
        case Letters::utf8:
            return cyrillic;
        case Letters::latin1:
            return western;
        case Letters::ascii:
            break;
    }
    return plain;
}

}  // namespace

Person invent_person(std::uint64_t seed, std::size_t number, Letters letters) {
    std::mt19937_64 chance(seed * 1'000'003 + number);
    const auto below = [&](std::uint64_t bound) { return chance() % bound; };
    const auto& names = names_in(letters);
    Person person;
    person.family = names.families[below(names.families.size())];
    person.given = names.given[below(names.given.size())];
    person.id = fmt::format("ZQ{:03}{:07}", number % 1000, below(10'000'000));
    person.birth = fmt::format("{}{:02}{:02}", 1930 + below(80), 1 + below(12), 1 + below(28));
    person.sex = below(2) == 0 ? 'F' : 'M';
    return person;
}

}  // namespace mitral::bedside
