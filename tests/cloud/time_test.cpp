// The time authority without a network: trees, delegation, the clock, bounds.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/encoding.hpp"
#include "cloud/time/authority.hpp"
#include "cloud/time/merkle.hpp"
#include "cloud/time/rate_limit.hpp"
#include "cloud/time/responder.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace mitral::cloud::time;
using mitral::base::Bytes;
using mitral::base::ByteView;
using mitral::base::ManualClock;
using mitral::base::Seconds;
using mitral::base::WallTime;

constexpr std::int64_t start_s = 1'790'000'000;
constexpr std::int64_t day_s = 86'400;

std::uint64_t number(ByteView bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i > 0; --i)
        value = value << 8 | bytes[i - 1];
    return value;
}

Digest leaf(std::uint8_t number) {
    Digest digest{};
    digest.fill(number);
    return digest;
}

// The check of RFC 10049, "Root Value Validity Check Algorithm".
Digest climb(Digest at, const Bytes& path, std::size_t index) {
    for (std::size_t i = 0; i < path.size(); i += 32, index /= 2) {
        const ByteView sibling = ByteView(path).subspan(i, 32);
        const std::array<std::uint8_t, 1> node{1};
        at = index % 2 == 0 ? digest({node, at, sibling}) : digest({node, sibling, at});
    }
    return at;
}

TEST(MerkleTree, LeadsFromEveryLeafToTheRoot) {
    for (const std::size_t count : {1u, 2u, 3u, 5u, 8u, 64u}) {
        std::vector<Digest> leaves;
        for (std::size_t i = 0; i < count; ++i)
            leaves.push_back(leaf(static_cast<std::uint8_t>(i + 1)));
        const MerkleTree tree(leaves);
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_EQ(climb(leaves[i], tree.path(i), i), tree.root()) << count << " " << i;
            EXPECT_NE(climb(leaf(99), tree.path(i), i), tree.root());
        }
    }
    EXPECT_TRUE(MerkleTree({leaf(1)}).path(0).empty());
}

TEST(TimeDigest, IsTheFirstHalfOfSha512) {
    const auto half = digest({mitral::base::as_bytes("a"), mitral::base::as_bytes("bc")});
    EXPECT_EQ(mitral::base::to_hex(half),  // FIPS 180-2, appendix C.1
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a");
}

TEST(TimeMessage, ComesBackAsItWasWritten) {
    const auto bytes = write_message({{tags::type, u32(0)}, {tags::ver, u32(1)}});
    const auto message = Message::parse(bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(number(*message->find(tags::ver)), 1u);
    EXPECT_EQ(number(*message->find(tags::type)), 0u);
    EXPECT_FALSE(message->find(tags::nonc));
}

TEST(TimeMessage, RefusesEveryCut) {
    const auto bytes = write_message({{tags::type, u32(0)}, {tags::ver, u32(1)}});
    // What is left of the last value is no word of the message any more, or is missed by its
    // reader.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto cut = Message::parse(ByteView(bytes).first(size));
        EXPECT_TRUE(!cut || cut->find(tags::type)->empty()) << size;
    }
}

class AuthorityTest : public testing::Test {
  protected:
    struct Said {
        std::uint64_t midpoint, radius, minimum, maximum;
    };
    Said ask(Authority& authority) {
        const auto answers = authority.answer(std::vector<Request>(1));
        EXPECT_TRUE(answers);
        const auto whole = Message::parse(ByteView(answers->front()).subspan(packet_header_size));
        const auto srep = Message::parse(*whole->find(tags::srep));
        const auto cert = Message::parse(*whole->find(tags::cert));
        const auto dele = Message::parse(*cert->find(tags::dele));
        return {number(*srep->find(tags::midp)), number(*srep->find(tags::radi)),
                number(*dele->find(tags::mint)), number(*dele->find(tags::maxt))};
    }
    mitral::test::TemporaryDirectory directory_;
    ManualClock clock_{WallTime{start_s * 1000}};
};

TEST_F(AuthorityTest, SignsWhatItsClockSays) {
    auto authority = Authority::open(directory_.path() + "/time", clock_);
    ASSERT_TRUE(authority);
    // A clock that is set, forwards or back, takes the delegation with it: wrong time, well signed,
    // is what a client has to survive.
    for (const auto now : {start_s, start_s + 400 * day_s, start_s - 400 * day_s, start_s}) {
        clock_.step_wall({now * 1000});
        const auto said = ask(*authority);
        EXPECT_EQ(said.midpoint, static_cast<std::uint64_t>(now));
        EXPECT_LE(said.minimum, said.midpoint);
        EXPECT_GE(said.maximum, said.midpoint + 3 * day_s);
    }
}

TEST_F(AuthorityTest, ClaimsLessWhenNobodyDisciplinesItsClock) {
    auto authority = Authority::open(directory_.path() + "/time", clock_);
    ASSERT_TRUE(authority);
    EXPECT_EQ(ask(*authority).radius, 3u);
    clock_.set_state(mitral::base::ClockState::free_running);
    EXPECT_EQ(ask(*authority).radius, 10u);
}

TEST_F(AuthorityTest, KeepsItsKeys) {
    const auto path = directory_.path() + "/time";
    const auto first = Authority::open(path, clock_);
    const auto second = Authority::open(path, clock_);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->public_key(), second->public_key());
    EXPECT_EQ(first->srv(), second->srv());
    std::filesystem::resize_file(path + "/delegated.key", 31);
    EXPECT_FALSE(Authority::open(path, clock_));
}

TEST_F(AuthorityTest, AnswersFitWhateverTheBatch) {
    auto authority = Authority::open(directory_.path() + "/time", clock_);
    ASSERT_TRUE(authority);
    const auto answers = authority->answer(std::vector<Request>(Authority::max_batch));
    ASSERT_TRUE(answers);
    for (const auto& answer : *answers)
        EXPECT_LE(answer.size(), min_datagram);
    EXPECT_FALSE(authority->answer(std::vector<Request>(Authority::max_batch + 1)));
}

Bytes plain_request() {
    return write_packet(write_message({{tags::ver, u32(version_1)},
                                       {tags::nonc, Bytes(32)},
                                       {tags::type, u32(0)},
                                       {tags::zzzz, Bytes(940)}}));
}

TEST_F(AuthorityTest, TheResponderKeepsItsRate) {
    const auto loop = mitral::base::EventLoop::create();
    ASSERT_TRUE(loop);
    auto authority = Authority::open(directory_.path() + "/time", clock_);
    ASSERT_TRUE(authority);
    mitral::base::UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto responder =
        Responder::open(**loop, clock_, *std::move(authority), std::move(socket));
    ASSERT_TRUE(responder);
    const auto request = plain_request();
    const std::vector<ByteView> batch(50, request);
    for (std::int64_t sent = 0; sent < Responder::answers_per_second + 500; sent += 50)
        (void)(*responder)->answer(batch);
    const auto& counters = (*responder)->counters();
    EXPECT_EQ(counters.answers, static_cast<std::uint64_t>(Responder::answers_per_second));
    EXPECT_EQ(counters.limited, 500u);
    clock_.advance(Seconds(1));
    EXPECT_FALSE((*responder)->answer({request}).front().empty());
}

TEST(TimeRateLimit, LetsSoManyThrough) {
    ManualClock clock(WallTime{0});
    RateLimit rate(100, clock.monotonic());
    const auto taken = [&] {
        int count = 0;
        while (count < 1000 && rate.take(clock.monotonic()))
            ++count;
        return count;
    };
    EXPECT_EQ(taken(), 100);
    EXPECT_EQ(taken(), 0);
    clock.advance(mitral::base::Milliseconds(50));
    EXPECT_EQ(taken(), 5);
    clock.advance(Seconds(3600));
    EXPECT_EQ(taken(), 100);
}

}  // namespace
