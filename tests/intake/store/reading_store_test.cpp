#include "intake/store/reading_store.hpp"

#include <gtest/gtest.h>

#include "clinical/record.hpp"
#include "intake/store/fake_writer.hpp"
#include "support/proves.hpp"

namespace mitral::intake {
namespace {

using Outcome = ReadingStore::Outcome;
using spool::Lane;

clinical::Reading reading_with(std::string id, bool observations, bool waves) {
    clinical::Reading reading;
    reading.source = "bed-1";
    reading.control_id = std::move(id);
    reading.received = {1000};
    if (observations)
        reading.observations = {{0, 0, "x", "1", clinical::Decimal{1, 0}}};
    if (waves)
        reading.waveforms = {{1, 0, "w", "1", {250, 0}, {1, 0}, {1, 2, 3}}};
    return reading;
}

class ReadingStoreTest : public ::testing::Test {
  protected:
    Outcome put(std::string id, bool observations = true, bool waves = false) {
        auto reading = reading_with(std::move(id), observations, waves);
        return store.put(reading);
    }

    test::FakeWriter writer;
    StoreCounters counters;
    ReadingStore store{writer, counters};
};

TEST_F(ReadingStoreTest, EachKindHasItsLane) {
    auto both = reading_with("both", true, true);
    EXPECT_EQ(store.put(both), Outcome::stored);
    EXPECT_EQ(both, reading_with("both", true, true));  // given back as it came
    EXPECT_EQ(put("vitals"), Outcome::stored);
    EXPECT_EQ(put("waves", false, true), Outcome::stored);
    EXPECT_TRUE(store.has_open_group());
    EXPECT_EQ(counters.readings, 0U);
    ASSERT_TRUE(store.commit());
    EXPECT_FALSE(store.has_open_group());
    ASSERT_EQ(writer.committed.size(), 4U);
    EXPECT_EQ(writer.committed[0].lane, Lane::waves);
    EXPECT_EQ(writer.committed[1].lane, Lane::vitals);
    EXPECT_EQ(writer.committed[2].lane, Lane::vitals);
    EXPECT_EQ(writer.committed[3].lane, Lane::waves);
    const auto readings = writer.readings();
    EXPECT_EQ(readings[0], reading_with("both", false, true));
    EXPECT_EQ(readings[1], reading_with("both", true, false));
    EXPECT_EQ(counters.readings, 3U);
    EXPECT_EQ(counters.observations, 4U);
}

TEST_F(ReadingStoreTest, ARepeatedReadingIsNotStoredAgain) {
    MITRAL_PROVES("T-DATA-04");
    EXPECT_EQ(put("a"), Outcome::stored);
    EXPECT_EQ(put("a"), Outcome::repeated);
    ASSERT_TRUE(store.commit());
    EXPECT_EQ(put("a"), Outcome::duplicate);
    EXPECT_FALSE(store.has_open_group());
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(counters.duplicates, 2U);
}

TEST_F(ReadingStoreTest, OtherContentUnderAKnownIdIsNeverTakenForStored) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-05");
    auto other = reading_with("a", true, false);
    other.observations[0].value = clinical::Decimal{2, 0};
    EXPECT_EQ(put("a"), Outcome::stored);
    EXPECT_EQ(store.put(other), Outcome::id_taken);
    ASSERT_TRUE(store.commit());
    EXPECT_EQ(store.put(other), Outcome::id_taken);
    EXPECT_EQ(put("a", false, true), Outcome::id_taken);
    EXPECT_EQ(put("a"), Outcome::duplicate);
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(counters.duplicates, 1U);
}

TEST_F(ReadingStoreTest, APostponedReadingLeavesNoTrace) {
    MITRAL_PROVES("T-DATA-01");
    writer.appends_until_full = 0;
    EXPECT_EQ(put("a"), Outcome::postponed);
    writer.appends_until_full.reset();
    EXPECT_EQ(put("a", false, true), Outcome::stored);
}

TEST_F(ReadingStoreTest, AFullSpoolPostponesAndForgets) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    writer.appends_until_full = 1;
    EXPECT_EQ(put("a"), Outcome::stored);
    EXPECT_EQ(put("b"), Outcome::postponed);
    EXPECT_EQ(store.trouble().find('/'), std::string::npos);
    ASSERT_TRUE(store.commit());
    writer.appends_until_full.reset();
    EXPECT_EQ(put("b"), Outcome::stored);
    EXPECT_EQ(put("a"), Outcome::duplicate);
}

TEST_F(ReadingStoreTest, AFailedCommitForgetsTheWholeGroup) {
    MITRAL_PROVES("T-DATA-01");
    writer.fail_commits = true;
    EXPECT_EQ(put("a"), Outcome::stored);
    EXPECT_FALSE(store.commit());
    EXPECT_EQ(counters.readings, 0U);
    writer.fail_commits = false;
    EXPECT_EQ(put("a"), Outcome::stored);
    ASSERT_TRUE(store.commit());
    EXPECT_EQ(counters.readings, 1U);
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(ReadingStoreTest, AReadingBeyondOneMessageIsTooLarge) {
    MITRAL_PROVES("T-DOS-01");
    auto reading = reading_with("big", false, true);
    for (std::uint16_t i = 1; i < 8; ++i) {
        reading.waveforms.push_back(reading.waveforms[0]);
        reading.waveforms.back().index = static_cast<std::uint16_t>(i + 1);
    }
    for (auto& wave : reading.waveforms) {
        wave.samples.clear();
        for (int i = 0; i < 8000; ++i)
            wave.samples.push_back(i % 2 == 0 ? INT32_MIN : INT32_MAX);
    }
    ASSERT_TRUE(clinical::check(reading));
    EXPECT_EQ(store.put(reading), Outcome::too_large);
    EXPECT_EQ(writer.appends, 0);
    EXPECT_EQ(store.put(reading), Outcome::too_large);  // and not a duplicate
}

}  // namespace
}  // namespace mitral::intake
