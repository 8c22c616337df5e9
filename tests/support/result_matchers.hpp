// Results in assertions: ASSERT_TRUE(ok(result)) prints the error; failed_with names the code.
#pragma once

#include <gtest/gtest.h>

#include "base/result.hpp"

namespace mitral::test {

template <typename T>
::testing::AssertionResult ok(const base::Result<T>& result) {
    if (result)
        return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << result.error().message();
}

template <typename T, typename Enum>
::testing::AssertionResult failed_with(const base::Result<T>& result, Enum expected) {
    if (result)
        return ::testing::AssertionFailure() << "succeeded";
    if (result.error().code == expected)
        return ::testing::AssertionSuccess() << result.error().message();
    return ::testing::AssertionFailure() << "failed otherwise: " << result.error().message();
}

}  // namespace mitral::test
