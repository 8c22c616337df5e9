// Ties a test to what it proves: threat ids of docs/threat-model.md and requirement ids of the
// standards
// ("CR 1.14", "GP-TM-24", "R51"). The ids land in the test report, from which the evidence matrix
// is made.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace mitral::test {

inline void record_proof(std::initializer_list<std::string_view> ids) {
    std::string joined;
    for (const auto id : ids)
        joined.append(joined.empty() ? "" : "; ").append(id);
    ::testing::Test::RecordProperty("proves", joined);
}

}  // namespace mitral::test

#define MITRAL_PROVES(...) ::mitral::test::record_proof({__VA_ARGS__})
