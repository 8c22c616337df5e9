#include "cloud/hub/authentication.hpp"

#include <gtest/gtest.h>

#include "cloud/error.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::hub {
namespace {

TEST(Authentication, TakesWhatItsTypeNeedsAndDropsTheRest) {
    MITRAL_PROVES("CR 1.2");
    const std::string thumbprint(40, 'a');
    const auto keys = completed({.primary_thumbprint = thumbprint}, nullptr);
    ASSERT_TRUE(keys);
    EXPECT_FALSE(keys->primary_key.empty());
    EXPECT_NE(keys->primary_key, keys->secondary_key);
    EXPECT_EQ(keys->primary_thumbprint, "");
    const auto own = completed(
        {.type = std::string(Authentication::self_signed), .secondary_thumbprint = thumbprint},
        &*keys);
    ASSERT_TRUE(own);
    EXPECT_EQ(own->primary_key, "");
    EXPECT_EQ(own->secondary_thumbprint, std::string(40, 'A'));
    const auto kept = completed({.type = std::string(Authentication::self_signed)}, &*own);
    ASSERT_TRUE(kept);
    EXPECT_EQ(*kept, *own);
    const auto authority = completed(
        {.type = std::string(Authentication::authority), .primary_thumbprint = thumbprint}, &*own);
    ASSERT_TRUE(authority);
    EXPECT_EQ(*authority, Authentication{.type = std::string(Authentication::authority)});
}

TEST(Authentication, RefusesWhatProvesNothing) {
    const std::string own(Authentication::self_signed);
    for (const auto& wanted :
         {Authentication{.type = own}, Authentication{.type = own, .primary_thumbprint = "ab"},
          Authentication{.type = own, .primary_thumbprint = std::string(64, 'g')},
          Authentication{.type = "none"}, Authentication{.type = ""},
          Authentication{.primary_key = "c2hvcnQ="}})
        EXPECT_EQ(completed(wanted, nullptr).error().code, CloudError::invalid_argument);
}

}  // namespace
}  // namespace mitral::cloud::hub
