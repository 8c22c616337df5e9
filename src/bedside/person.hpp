// Invented patients: the same seed and number give the same one, and no one of them exists.
#pragma once

#include <cstdint>
#include <string>

#include "bedside/dialect.hpp"

namespace mitral::bedside {

struct Person {
    std::string family;  // in the letters of the dialect: UTF-8, ISO 8859-1 or ASCII
    std::string given;
    std::string id;     // PID-3.1
    std::string birth;  // PID-7, YYYYMMDD
    char sex = 'U';     // PID-8
};

[[nodiscard]] Person invent_person(std::uint64_t seed, std::size_t number, Letters letters);

}  // namespace mitral::bedside
