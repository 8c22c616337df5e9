#include "verify/marks.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/errors.hpp"
#include "support/result_matchers.hpp"
#include "verify/judge.hpp"
#include "verify/unit.hpp"

namespace mitral::test {
namespace {

class MarksFile : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/mitral-verify-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory = name;
        marks = verify::first_marks(unit.said(), 77);
        for (int i = 0; i < 3; ++i)
            EXPECT_TRUE(verify::judge_checkpoint(marks, unit.checkpoint(), 78).empty());
    }
    void TearDown() override { std::filesystem::remove_all(directory); }
    std::string directory;
    Unit unit;
    verify::Marks marks;
};

TEST_F(MarksFile, ComesBackAsItWasWritten) {
    const auto path = directory + "/unit";
    ASSERT_TRUE(ok(verify::save(path, marks)));
    const auto again = verify::load(path);
    ASSERT_TRUE(ok(again));
    EXPECT_EQ(encode(*again), encode(marks));
    EXPECT_EQ(again->lanes, marks.lanes);
    EXPECT_EQ(again->checkpoint(), 3U);
    EXPECT_FALSE(verify::load(directory + "/other"));
}

TEST_F(MarksFile, ThatCouldNotBeReadAgainIsNotWritten) {
    const auto path = directory + "/unit";
    ASSERT_TRUE(ok(verify::save(path, marks)));  // negative control
    marks.lanes.resize(verify::Marks::max_lanes + 1);
    EXPECT_TRUE(failed_with(verify::save(path, marks), base::BaseError::malformed));
    EXPECT_TRUE(ok(verify::load(path)));
}

TEST_F(MarksFile, ThatIsCutOrLongerIsRefused) {
    auto bytes = encode(marks);
    ASSERT_TRUE(ok(verify::decode_marks(bytes)));  // negative control
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(verify::decode_marks(base::ByteView(bytes).first(size))) << size;
    bytes.push_back(0);
    EXPECT_TRUE(failed_with(verify::decode_marks(bytes), base::BaseError::malformed));
}

}  // namespace
}  // namespace mitral::test
