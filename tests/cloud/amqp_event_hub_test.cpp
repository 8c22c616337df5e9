#include "cloud/amqp/event_hub.hpp"

#include <gtest/gtest.h>

#include "cloud/amqp/event_line.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::amqp {
namespace {

class AmqpEventHubTest : public ::testing::Test {
  protected:
    void append(unsigned count) {
        log::Entry entry{};
        entry.enqueued = base::WallTime{1'790'000'000'000};
        entry.device = "dev-01";
        for (unsigned i = 0; i < count; ++i) {
            log_.append(entry);
            ASSERT_TRUE(log_.commit());
        }
    }
    std::optional<std::uint64_t> first_read(const Position& position) {
        const auto text = log::Tail(log_, hub_.start_of(position).value()).next(1).value();
        const auto head = read_head(text);
        return head ? std::optional(head->offset) : std::nullopt;
    }

    mitral::test::TemporaryDirectory directory_;
    log::MessageLog log_ = *log::MessageLog::open(
        {.directory = directory_.path("log"), .segment_bytes = 512, .maximum_bytes = 2048});
    log::Broadcast news_;
    hub::Hosts hosts_{{"localhost"}};
    EventHub hub_{log_, news_, hosts_, base::WallTime{}, {}};
};

TEST_F(AmqpEventHubTest, APositionOlderThanTheLogBeginsAtTheOldestThatIsKept) {
    MITRAL_PROVES("T-DATA-02");
    append(1);
    const Position old{.kind = Position::Kind::offset, .from = 0};
    EXPECT_EQ(first_read(old), 0U);
    append(99);
    const auto oldest = log_.first_offset();
    ASSERT_GT(oldest, 0U);
    EXPECT_EQ(first_read(old), oldest);
    EXPECT_EQ(first_read({}), oldest);
    EXPECT_EQ(first_read({.kind = Position::Kind::enqueued, .after_ms = 1}), oldest);
    EXPECT_EQ(first_read({.kind = Position::Kind::offset, .from = 98}), 98U);
    EXPECT_EQ(first_read({.kind = Position::Kind::latest}), std::nullopt);
    EXPECT_EQ(first_read({.kind = Position::Kind::offset, .from = 1000}), std::nullopt);
}

TEST_F(AmqpEventHubTest, APartitionTellsWhatIsKept) {
    append(100);
    const auto own = partition_of("dev-01", EventHub::partitions);
    const auto state = hub_.state_of(own).value();
    ASSERT_TRUE(state);
    EXPECT_EQ(state->begin, log_.first_offset());
    EXPECT_EQ(state->last, 99U);
    EXPECT_FALSE(state->empty);
    EXPECT_TRUE(hub_.state_of((own + 1) % EventHub::partitions).value()->empty);
}

}  // namespace
}  // namespace mitral::cloud::amqp
