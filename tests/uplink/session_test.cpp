#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/proves.hpp"
#include "uplink/error.hpp"
#include "uplink/session.hpp"

namespace mitral::uplink {
namespace {

using base::Bytes;
using base::ManualClock;
using base::Milliseconds;

// First bytes of all packets in a stream of whole ones.
std::vector<std::uint8_t> headers_of(const Bytes& stream) {
    std::vector<std::uint8_t> headers;
    for (std::size_t at = 0; at < stream.size();) {
        headers.push_back(stream[at++]);
        std::size_t length = 0;
        for (unsigned shift = 0;; shift += 7) {
            length |= static_cast<std::size_t>(stream.at(at) & 0x7F) << shift;
            if ((stream[at++] & 0x80) == 0)
                break;
        }
        at += length;
    }
    return headers;
}

class SessionTest : public testing::Test {
  protected:
    explicit SessionTest(SessionOptions options = {}) : session_(options, clock_) {}

    void begin() {
        ASSERT_TRUE(session_.start("dev1", "hub/dev1/?api-version=2021-04-12",
                                   base::as_bytes("SharedAccessSignature-canary")));
        drain();
    }
    void come_up() {
        begin();
        ASSERT_TRUE(feed({0x20, 2, 0, 0}));
        ASSERT_EQ(session_.state(), Session::State::up);
    }
    base::Status feed(const Bytes& bytes) { return session_.receive(bytes, acknowledged_); }
    void drain() {
        while (!session_.output().empty()) {
            const auto out = session_.output();
            wire_.insert(wire_.end(), out.begin(), out.end());
            session_.consumed(out.size());
        }
    }
    std::uint16_t last_packet_id() const {
        return static_cast<std::uint16_t>(wire_[wire_.size() - 2] << 8 | wire_.back());
    }
    std::uint16_t publish_empty(std::uint64_t batch = 0) {
        EXPECT_TRUE(session_.publish({0, batch}, {"t"}, {}));
        drain();
        return last_packet_id();
    }
    Bytes puback(std::uint16_t id) const {
        return {0x40, 2, static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id)};
    }
    void expect_violation(const base::Status& status, Violation::Kind kind) {
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, UplinkError::protocol_violation);
        ASSERT_TRUE(session_.violation());
        EXPECT_EQ(session_.violation()->kind, kind);
        EXPECT_EQ(session_.state(), Session::State::failed);
        EXPECT_FALSE(session_.may_publish());
        EXPECT_TRUE(acknowledged_.empty());
    }

    ManualClock clock_{base::WallTime{1'767'225'600'000}};
    Session session_;
    std::vector<Acknowledged> acknowledged_;
    Bytes wire_;
};

TEST_F(SessionTest, ConnectsPublishesAndIsAcknowledged) {
    come_up();
    const std::uint16_t first = publish_empty(1);
    const std::uint16_t second = publish_empty(2);
    EXPECT_NE(first, second);
    EXPECT_EQ(session_.in_flight(), 2);
    ASSERT_TRUE(feed(puback(second)));
    ASSERT_TRUE(feed(puback(first)));
    ASSERT_EQ(acknowledged_.size(), 2U);
    EXPECT_EQ(acknowledged_[0].tag, (Tag{0, 2}));
    EXPECT_EQ(acknowledged_[1].tag, (Tag{0, 1}));
    EXPECT_EQ(session_.in_flight(), 0);
}

TEST_F(SessionTest, NothingMayBePublishedBeforeConnack) {
    begin();
    EXPECT_FALSE(session_.may_publish());
}

TEST_F(SessionTest, TheTokenIsGoneOnceItIsOut) {
    MITRAL_PROVES("T-TOK-03");
    ASSERT_TRUE(session_.start("d", "u", base::as_bytes("canary-token")));
    const auto out = session_.output();
    const std::string before(out.begin(), out.end());
    EXPECT_NE(before.find("canary-token"), std::string::npos);
    session_.consumed(out.size() - 1);
    EXPECT_EQ(session_.output().size(), 1U);
    session_.consumed(1);
    EXPECT_TRUE(session_.output().empty());
}

TEST_F(SessionTest, HostilePacketsCloseTheSession) {
    MITRAL_PROVES("T-WAY-01", "T-SW-02");
    come_up();
    expect_violation(feed({0x90, 3, 0, 1, 0}), Violation::Kind::forbidden_packet);
}
TEST_F(SessionTest, MessagesFromTheHubAreNeverTaken) {
    MITRAL_PROVES("T-WAY-01");
    come_up();
    expect_violation(feed({0x32, 9, 0, 3, 'c', '2', 'd', 0, 1, 'x', 'y'}),
                     Violation::Kind::forbidden_packet);
}
TEST_F(SessionTest, AcknowledgementOfNothingIsAViolation) {
    MITRAL_PROVES("T-SW-02", "T-DATA-01");
    come_up();
    const std::uint16_t id = publish_empty();
    expect_violation(feed(puback(static_cast<std::uint16_t>(id + 1))),
                     Violation::Kind::unknown_packet_id);
    EXPECT_EQ(session_.in_flight(), 1);
}
TEST_F(SessionTest, AcknowledgingTwiceIsAViolation) {
    MITRAL_PROVES("T-SW-02");
    come_up();
    const std::uint16_t id = publish_empty();
    ASSERT_TRUE(feed(puback(id)));
    acknowledged_.clear();
    expect_violation(feed(puback(id)), Violation::Kind::unknown_packet_id);
}
TEST_F(SessionTest, SecondConnackIsAViolation) {
    MITRAL_PROVES("T-SW-02");
    come_up();
    expect_violation(feed({0x20, 2, 0, 0}), Violation::Kind::second_connack);
}
TEST_F(SessionTest, PubackBeforeConnackIsAViolation) {
    MITRAL_PROVES("T-SW-02");
    begin();
    expect_violation(feed({0x40, 2, 0, 1}), Violation::Kind::answer_before_connack);
}
TEST_F(SessionTest, ConnackBeforeConnectIsOutIsAViolation) {
    MITRAL_PROVES("T-SW-02");
    ASSERT_TRUE(session_.start("dev1", "u", {}));
    expect_violation(feed({0x20, 2, 0, 0}), Violation::Kind::answer_before_connack);
}
TEST_F(SessionTest, SessionPresentAfterCleanSessionIsAViolation) {
    MITRAL_PROVES("T-WAY-01", "T-SW-02");
    begin();
    expect_violation(feed({0x20, 2, 1, 0}), Violation::Kind::session_present);
}
TEST_F(SessionTest, UnaskedPingrespIsAViolation) {
    MITRAL_PROVES("T-SW-02");
    come_up();
    expect_violation(feed({0xD0, 0}), Violation::Kind::unasked_pingresp);
}

TEST_F(SessionTest, AcknowledgementsBeforeAViolationCount) {
    come_up();
    const std::uint16_t id = publish_empty(7);
    Bytes bytes = puback(id);
    bytes.insert(bytes.end(), {0x90, 3, 0, 1, 0});
    EXPECT_FALSE(feed(bytes));
    ASSERT_EQ(acknowledged_.size(), 1U);
    EXPECT_EQ(acknowledged_[0].tag.batch, 7U);
}

TEST_F(SessionTest, RefusalNamesCauseAndRemedy) {
    begin();
    const auto refused = feed({0x20, 2, 0, 5});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, UplinkError::refused_by_hub);
    EXPECT_NE(refused.error().context.find("mitral-enrol"), std::string::npos);
    EXPECT_EQ(session_.return_code(), 5);
    for (std::uint8_t code = 1; code <= 5; ++code)
        EXPECT_FALSE(explain_refusal(code).remedy.empty());
}

TEST_F(SessionTest, PingsOnlyWhenIdleAndExpectsAnAnswer) {
    come_up();
    const std::size_t before = wire_.size();
    clock_.advance(Milliseconds(59'000));
    ASSERT_TRUE(session_.tick());
    publish_empty();
    ASSERT_TRUE(feed(puback(last_packet_id())));
    clock_.advance(Milliseconds(59'000));
    ASSERT_TRUE(session_.tick());
    drain();
    EXPECT_EQ(std::ranges::count(
                  headers_of(Bytes(wire_.begin() + static_cast<long>(before), wire_.end())),
                  pingreq_header),
              0);
    clock_.advance(Milliseconds(1'000));
    ASSERT_TRUE(session_.tick());
    drain();
    EXPECT_EQ(wire_[wire_.size() - 2], pingreq_header);
    ASSERT_TRUE(feed({0xD0, 0}));
    clock_.advance(Milliseconds(60'000));
    ASSERT_TRUE(session_.tick());
    drain();
    clock_.advance(Milliseconds(20'000));
    const auto dead = session_.tick();
    ASSERT_FALSE(dead);
    EXPECT_EQ(dead.error().code, UplinkError::no_answer);
}

TEST_F(SessionTest, AHalfOpenConnectionIsNoticed) {
    MITRAL_PROVES("T-DOS-04");
    come_up();
    publish_empty();
    const std::uint16_t second = publish_empty();
    clock_.advance(Milliseconds(59'000));
    ASSERT_TRUE(session_.tick());
    ASSERT_TRUE(feed(puback(second)));  // all but one are acknowledged: still stuck
    clock_.advance(Milliseconds(1'000));
    EXPECT_FALSE(session_.tick());
}

TEST_F(SessionTest, NoConnackIsNoticed) {
    begin();
    ASSERT_TRUE(session_.next_deadline());
    clock_.advance(Milliseconds(19'999));
    ASSERT_TRUE(session_.tick());
    clock_.advance(Milliseconds(1));
    EXPECT_FALSE(session_.tick());
}

TEST_F(SessionTest, WindowIsABound) {
    come_up();
    std::set<std::uint16_t> ids;
    while (session_.may_publish())
        ids.insert(publish_empty());
    EXPECT_EQ(ids.size(), 100U);
    EXPECT_EQ(session_.in_flight(), 100);
    ASSERT_TRUE(feed(puback(*ids.begin())));
    EXPECT_TRUE(session_.may_publish());
}

TEST_F(SessionTest, AfterDisconnectOnlyAcknowledgementsCount) {
    come_up();
    const std::uint16_t id = publish_empty();
    session_.disconnect();
    drain();
    EXPECT_EQ(wire_[wire_.size() - 2], disconnect_header);
    EXPECT_FALSE(session_.may_publish());
    ASSERT_TRUE(feed(puback(id)));
    EXPECT_EQ(acknowledged_.size(), 1U);
}

// Whatever the hub answers, all a session ever says are the four packets.
TEST(SessionWire, OnlyFourKindsOfPacketsEverLeave) {
    MITRAL_PROVES("T-WAY-01", "CR 2.1");
    std::mt19937 random(20261122);
    std::set<std::uint8_t> seen;
    for (int round = 0; round < 2'000; ++round) {
        ManualClock clock(base::WallTime{0});
        Session session({.window = 8}, clock);
        ASSERT_TRUE(session.start("dev1", "user", base::as_bytes("token")));
        Bytes wire;
        std::vector<Acknowledged> acknowledged;
        const auto drain = [&] {
            const auto out = session.output();
            wire.insert(wire.end(), out.begin(), out.end());
            session.consumed(out.size());
        };
        drain();
        if (round % 8 != 0)
            (void)session.receive(Bytes{0x20, 2, 0, 0}, acknowledged);
        for (int step = 0; step < 30; ++step) {
            switch (random() % 6) {
                case 0:
                    if (session.may_publish()) {
                        ASSERT_TRUE(session.publish({0, 1}, {"topic"}, Bytes(random() % 300)));
                    }
                    break;
                case 1: {
                    Bytes noise(random() % 6);
                    std::ranges::generate(noise,
                                          [&] { return static_cast<std::uint8_t>(random()); });
                    (void)session.receive(noise, acknowledged);
                    break;
                }
                case 2:
                    clock.advance(Milliseconds(random() % 70'000));
                    (void)session.tick();
                    break;
                case 3:
                    (void)session.receive(
                        Bytes{0x40, 2, 0, static_cast<std::uint8_t>(1 + random() % 8)},
                        acknowledged);
                    break;
                case 4:
                    (void)session.receive(Bytes{0xD0, 0}, acknowledged);
                    break;
                default:
                    if (random() % 8 == 0)
                        session.disconnect();
            }
            drain();
        }
        for (const std::uint8_t header : headers_of(wire)) {
            ASSERT_NE(std::ranges::find(outbound_headers, header), outbound_headers.end())
                << int{header};
            seen.insert(static_cast<std::uint8_t>(header >> 4));
        }
    }
    EXPECT_EQ(seen, (std::set<std::uint8_t>{1, 3, 12, 14}));  // and the test saw each of them
}

TEST(InFlight, IdsAreUniqueWhateverTheOrderOfAnswers) {
    std::mt19937 random(7);
    InFlight window(100);
    std::vector<std::uint16_t> waiting;
    for (int step = 0; step < 300'000; ++step) {
        if (!window.full() && (waiting.empty() || random() % 2 == 0)) {
            const std::uint16_t id = window.add({1, static_cast<std::uint64_t>(step)}, {step});
            ASSERT_NE(id, 0);
            ASSERT_EQ(std::ranges::find(waiting, id), waiting.end());
            waiting.push_back(id);
        } else {
            // The first one stays for good, as a hostile hub would have it.
            const std::size_t at = waiting.size() > 1 ? 1 + random() % (waiting.size() - 1) : 0;
            ASSERT_TRUE(window.remove(waiting[at]));
            ASSERT_FALSE(window.remove(waiting[at]));
            waiting.erase(waiting.begin() + static_cast<long>(at));
        }
        ASSERT_EQ(window.count(), waiting.size());
    }
}

TEST(InFlight, KnowsTheOldest) {
    InFlight window(4);
    EXPECT_FALSE(window.oldest());
    const auto a = window.add({}, {10});
    const auto b = window.add({}, {20});
    const auto c = window.add({}, {30});
    EXPECT_EQ(window.oldest()->ns, 10);
    ASSERT_TRUE(window.remove(a));
    EXPECT_EQ(window.oldest()->ns, 20);
    ASSERT_TRUE(window.remove(c));
    EXPECT_EQ(window.oldest()->ns, 20);
    ASSERT_TRUE(window.remove(b));
    EXPECT_FALSE(window.oldest());
    EXPECT_FALSE(window.remove(0));
}

}  // namespace
}  // namespace mitral::uplink
