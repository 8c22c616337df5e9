#include "intake/lines/source_owners.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

TEST(SourceOwners, ANameBelongsToItsFirstUser) {
    MITRAL_PROVES("T-SW-01", "T-DATA-05");
    SourceOwners owners;
    EXPECT_TRUE(owners.claim("bed-1", 1001));
    EXPECT_FALSE(owners.claim("bed-1", 1002));
    EXPECT_FALSE(owners.claim("bed-1", 0));
    EXPECT_TRUE(owners.claim("bed-1", 1001));
    EXPECT_TRUE(owners.claim("bed-2", 1002));
}

TEST(SourceOwners, InventingNamesFreesNobodyElses) {
    MITRAL_PROVES("T-DOS-01", "T-SW-01");
    SourceOwners owners(8);
    EXPECT_TRUE(owners.claim("bed-1", 1001));
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(owners.claim("x" + std::to_string(i), 1002));
    EXPECT_FALSE(owners.claim("bed-1", 1002));
    EXPECT_FALSE(owners.claim("x99", 1001));
    EXPECT_TRUE(owners.claim("x0", 1001));  // the inventor's oldest was forgotten
}

}  // namespace
}  // namespace mitral::intake
