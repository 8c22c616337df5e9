// One suite for every back end: what is tested here holds whichever trust zone keeps the keys.
#pragma once

#include <gtest/gtest.h>

#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/errors.hpp"

namespace mitral::test {

class CustodySuite : public ::testing::TestWithParam<BackendKind> {
  protected:
    Bench bench{GetParam()};
};

// A unit that has its identity.
class ProvisionedSuite : public CustodySuite {
  protected:
    void SetUp() override { ASSERT_TRUE(bench.provision()); }
};

inline std::string kind_name(const ::testing::TestParamInfo<BackendKind>& info) {
    return std::string(to_string(info.param));
}

#define MITRAL_FOR_EVERY_BACKEND(suite) \
    INSTANTIATE_TEST_SUITE_P(           \
        Backends, suite,                \
        ::testing::Values(BackendKind::software, BackendKind::tpm, BackendKind::optee), kind_name)

}  // namespace mitral::test
