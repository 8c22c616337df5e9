#include "cloud/faults/replies.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "cloud/faults/shifted_clock.hpp"
#include "cloud/http/connection.hpp"
#include "cloud/mqtt/packet.hpp"
#include "support/proves.hpp"

namespace mitral::cloud {
namespace {

using base::Bytes;
using Parameters = std::map<std::string, std::string>;

class RepliesTest : public testing::Test {
  protected:
    void order(Parameters parameters) {
        ASSERT_TRUE(faults_.set(*faults::read_order("malformed", parameters)));
    }
    static Bytes puback(std::uint16_t id) {
        Bytes packet;
        mqtt::append_puback(packet, id);
        return packet;
    }
    static Bytes twin() {
        Bytes packet;
        mqtt::append_publish(packet, "$iothub/twin/res/200/?$rid=1",
                             base::as_bytes(R"({"desired":{"$version":1}})"));
        return packet;
    }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::SystemClock clock_;
    mqtt::Roster roster_;
    Faults faults_{*loop_, clock_, roster_};
    faults::Replies replies_{faults_};
};

TEST_F(RepliesTest, LeaveAllAsItIsUntilTheyAreToldAndForWhatDoesNotFit) {
    auto packets = puback(7);
    EXPECT_FALSE(replies_.distort(packets));
    EXPECT_EQ(packets, puback(7));
    order({{"kind", "twin-json"}});
    EXPECT_FALSE(replies_.distort(packets));
    EXPECT_EQ(packets, puback(7));
    EXPECT_EQ(faults_.row(Fault::malformed).fired, 0U);
}

TEST_F(RepliesTest, GiveAnotherPacketIdThatIsNeverZero) {
    order({{"kind", "packet-id"}});
    for (const std::uint16_t id : std::array<std::uint16_t, 5>{1, 0x7fff, 0x8000, 0x8001, 0xffff}) {
        auto packets = puback(id);
        EXPECT_FALSE(replies_.distort(packets));
        ASSERT_EQ(packets.size(), 4U);
        const auto now = static_cast<unsigned>(packets[2] << 8U | packets[3]);
        EXPECT_NE(now, id);
        EXPECT_NE(now, 0U);
    }
}

TEST_F(RepliesTest, CutAPacketAndSayThatNothingFollows) {
    order({{"kind", "truncated"}, {"count", "1"}});
    auto packets = twin();
    const auto whole = packets.size();
    const auto behind = puback(1);
    packets.insert(packets.end(), behind.begin(), behind.end());
    EXPECT_TRUE(replies_.distort(packets));
    EXPECT_EQ(packets.size(), (whole + 1) / 2);
    packets = puback(2);
    EXPECT_FALSE(replies_.distort(packets));  // it was to strike once
    EXPECT_EQ(packets, puback(2));
}

TEST_F(RepliesTest, BreakTheTwinInAllWaysAndStayWholePackets) {
    order({{"kind", "twin-json"}});
    std::set<Bytes> seen;
    for (int i = 0; i < 100; ++i) {
        auto packets = twin();
        EXPECT_FALSE(replies_.distort(packets));
        const auto frame = mqtt::next_frame(packets, 65'536);
        ASSERT_TRUE(frame && *frame && (*frame)->size == packets.size());
        seen.insert(packets);
    }
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_FALSE(seen.contains(twin()));
}

TEST_F(RepliesTest, BreakAConnackSoThatNoReaderTakesIt) {
    order({{"kind", "connack"}});
    std::set<Bytes> seen;
    for (int i = 0; i < 100; ++i) {
        Bytes packets;
        mqtt::append_connack(packets, false, mqtt::ConnectCode::accepted);
        EXPECT_FALSE(replies_.distort(packets));
        EXPECT_TRUE(packets[1] != 2 || packets[2] > 1 || packets[3] > 5);
        seen.insert(packets);
    }
    EXPECT_EQ(seen.size(), 3U);
}

TEST_F(RepliesTest, RepeatThemselvesWithTheSameSeed) {
    const auto run = [&](const char* seed) {
        order({{"percent", "50"}, {"seed", seed}});
        Bytes all;
        for (std::uint16_t id = 1; id < 200; ++id) {
            auto packets = puback(id);
            (void)replies_.distort(packets);
            all.insert(all.end(), packets.begin(), packets.end());
        }
        return all;
    };
    const auto first = run("5");
    EXPECT_EQ(run("5"), first);
    EXPECT_NE(run("6"), first);
    const auto fired = faults_.row(Fault::malformed).fired;
    EXPECT_GT(fired, 200U);  // of 597, half
    EXPECT_LT(fired, 400U);
}

TEST_F(RepliesTest, BreakBodiesOfHttp) {
    const std::string good = R"({"a":1})";
    const auto answer = [&](const char* kind) {
        order({{"kind", kind}});
        http::Response response;
        response.body = good;
        replies_.distort(response);
        return response;
    };
    EXPECT_EQ(answer("http-json").body, R"({"a)");
    EXPECT_EQ(answer("http-html").content_type, "text/html");
    EXPECT_TRUE(answer("http-cut").cut_short);
    const auto other = answer("connack");
    EXPECT_EQ(other.body, good);
    EXPECT_FALSE(other.cut_short);
}

TEST(ShiftedClock, ShiftsTheWallAndNotTheTimers) {
    const base::ManualClock clock(base::WallTime{1'790'000'000'000});
    faults::ShiftedClock shifted(clock);
    EXPECT_EQ(shifted.wall(), clock.wall());
    shifted.shift(base::Seconds(-60));
    EXPECT_EQ(shifted.wall().ms, clock.wall().ms - 60'000);
    EXPECT_EQ(shifted.monotonic(), clock.monotonic());
}

TEST(HttpDate, IsTheOneOfTheStandard) {
    EXPECT_EQ(http::http_date({784'111'777'000}), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http::http_date({1'709'164'799'000}), "Wed, 28 Feb 2024 23:59:59 GMT");
}

}  // namespace
}  // namespace mitral::cloud
