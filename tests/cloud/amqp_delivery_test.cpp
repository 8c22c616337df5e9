// What a peer may do with deliveries, over the real engine.
#include <gtest/gtest.h>
#include <proton/connection.h>
#include <proton/session.h>
#include <proton/transport.h>

#include "cloud/amqp/peer_rules.hpp"
#include "cloud/amqp_stand.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::amqp {
namespace {

using namespace std::string_literals;

constexpr char sends = '\x42';  // the role in an attach
constexpr char receives = '\x41';

std::string frame(const std::string& body) {
    const auto size = body.size() + 8;
    return {'\0', '\0', static_cast<char>(size >> 8U), static_cast<char>(size), '\2', '\0',
            '\0', '\0'};
}

std::string performative(char code, const std::string& fields, char count) {
    const auto body =
        "\x00\x53"s + code + '\xc0' + static_cast<char>(fields.size() + 1) + count + fields;
    return frame(body) + body;
}

std::string text(std::string_view value) {
    return "\xa1"s + static_cast<char>(value.size()) + std::string(value);
}

std::string terminus(char code, std::string_view address) {
    const auto field = text(address);
    return "\x00\x53"s + code + '\xc0' + static_cast<char>(field.size() + 1) + '\1' + field;
}

std::string begin() {
    return performative('\x11', "\x40\x43\x70\x00\x00\x08\x00\x70\x00\x00\x08\x00"s, 4);
}

std::string attach(char handle, char role, std::string_view address) {
    return performative('\x12',
                        text("link"s + handle) + '\x52' + handle + role + "\x40\x40"s +
                            terminus('\x28', role == receives ? address : "here") +
                            terminus('\x29', role == sends ? address : "here") + "\x40\x40\x43"s,
                        10);
}

std::string on_channel(char channel, std::string frames) {
    frames.at(7) = channel;
    return frames;
}

std::string detach(char handle) {
    return performative('\x16', "\x52"s + handle + '\x41', 2);
}

struct Transfer {
    char handle = 0;
    std::string id = "\x43"s;  // encoded
    bool more = false;
    std::string payload = "\x00\x53\x77\xa1\x01x"s;
};

std::string transfer(const Transfer& what) {
    const auto fields =
        "\x52"s + what.handle + what.id + "\xa0\x01t\x43\x42"s + (what.more ? '\x41' : '\x42');
    const auto body =
        "\x00\x53\x14\xc0"s + static_cast<char>(fields.size() + 1) + '\6' + fields + what.payload;
    return frame(body) + body;
}

const std::string unnamed = "\x40"s;

std::string id(std::uint8_t number) {
    return "\x52"s + static_cast<char>(number);
}

class AmqpDeliveryTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(hear(test::signed_in_as(stand_, "service") + begin())); }
    bool hear(const std::string& bytes) {
        return connection_->on_bytes(base::as_bytes(bytes)) && below_.closed.empty();
    }
    bool said(std::string_view words) {
        return base::as_text(below_.output).find(words) != std::string_view::npos;
    }
    std::string said_since(std::size_t at) {
        return std::string(base::as_text(base::ByteView(below_.output).subspan(at)));
    }

    test::AmqpStand stand_;
    test::FakeTransport below_{*stand_.loop, stand_.clock};
    std::unique_ptr<front::Protocol> connection_ = stand_.endpoint.accept(below_);
};

TEST_F(AmqpDeliveryTest, MayGoOnWithoutAName) {
    ASSERT_TRUE(hear(attach(0, sends, "$cbs")));
    EXPECT_TRUE(hear(transfer({.id = id(0), .more = true})));
    EXPECT_TRUE(hear(transfer({.id = unnamed, .more = true, .payload = "y"})));
    EXPECT_TRUE(hear(transfer({.id = unnamed, .payload = "z"})));
    EXPECT_TRUE(hear(transfer({.id = id(1)})));
    EXPECT_EQ(below_.closed, "");
}

TEST_F(AmqpDeliveryTest, MayNotBeginWithoutAName) {
    MITRAL_PROVES("T-DOS-01");
    ASSERT_TRUE(hear(attach(0, sends, "$cbs")));
    EXPECT_FALSE(hear(transfer({.id = unnamed, .more = true})));
}

TEST_F(AmqpDeliveryTest, DoesNotOutliveItsLink) {
    MITRAL_PROVES("T-DOS-01");
    ASSERT_TRUE(hear(attach(0, sends, "$cbs")));
    ASSERT_TRUE(hear(transfer({.id = id(0), .more = true})));
    ASSERT_TRUE(hear(detach(0) + attach(0, sends, "$cbs")));
    EXPECT_FALSE(hear(transfer({.id = unnamed, .more = true})));
}

TEST_F(AmqpDeliveryTest, DoesNotGoOnAfterItWasAborted) {
    MITRAL_PROVES("T-DOS-01");
    ASSERT_TRUE(hear(attach(0, sends, "$cbs")));
    const auto fields =
        "\x52\x00\x52\x00\xa0\x01t\x43\x42\x41\x40\x40\x40\x41"s;  // more and aborted
    const auto body = "\x00\x53\x14\xc0"s + static_cast<char>(fields.size() + 1) + '\xa' + fields;
    ASSERT_TRUE(hear(frame(body) + body));
    EXPECT_FALSE(hear(transfer({.id = unnamed, .more = true})));
}

TEST_F(AmqpDeliveryTest, IsJudgedWhereverTheBytesAreCut) {
    MITRAL_PROVES("T-DOS-01");
    ASSERT_TRUE(hear(attach(0, sends, "$cbs")));
    const auto bytes = transfer({.id = unnamed, .more = true, .payload = std::string(100, 'x')});
    bool refused = false;
    for (const char byte : bytes)
        refused = refused || !hear(std::string(1, byte));
    EXPECT_TRUE(refused);
}

// Why it must not: the control of the tests above.
TEST(AmqpDeliveryDeathTest, TheLibraryEndsTheProcessOverOneWithoutAName) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto hear = [] {
        auto* transport = pn_transport();
        auto* connection = pn_connection();
        pn_transport_set_server(transport);
        pn_transport_bind(transport, connection);
        const auto push = [&](const std::string& bytes) {
            (void)pn_transport_push(transport, bytes.data(), bytes.size());
        };
        push("AMQP\x00\x01\x00\x00"s + performative('\x10', text(""), 1) + begin() +
             attach(0, sends, "$cbs"));
        pn_connection_open(connection);
        auto* session = pn_session_head(connection, 0);
        pn_session_set_incoming_capacity(session, 1 << 20);
        pn_session_open(session);
        (void)pn_transport_pending(transport);
        push(transfer({.id = unnamed, .more = true}));
    };
    EXPECT_DEATH(hear(), "id_present");
}

TEST_F(AmqpDeliveryTest, EndsTheConnectionWhenItComesToTheEndThatSends) {
    MITRAL_PROVES("T-DOS-01");
    ASSERT_TRUE(hear(attach(0, receives, "messages/servicebound/feedback")));
    EXPECT_EQ(below_.closed, "");
    (void)hear(transfer({.id = id(0)}) + transfer({.id = id(1)}));
    EXPECT_TRUE(said("a transfer to the end that sends"));
    EXPECT_NE(below_.closed, "");
}

TEST_F(AmqpDeliveryTest, IsDroppedOnALinkThatWasRefusedAndEndsTheConnectionInTheEnd) {
    MITRAL_PROVES("T-DOS-01");
    ASSERT_TRUE(hear(attach(0, sends, "no such node")));
    EXPECT_TRUE(said("no such node"));
    std::uint32_t number = 0;
    const auto next = [&] {
        const std::string name{'\x70', '\0', '\0', static_cast<char>(number >> 8U),
                               static_cast<char>(number)};
        ++number;
        return transfer({.id = name, .payload = std::string(1000, 'x')});
    };
    for (int i = 0; i < 900; ++i)
        ASSERT_TRUE(hear(next()));
    EXPECT_EQ(below_.closed, "");
    for (int i = 0; i < 200 && below_.closed.empty(); ++i)
        (void)hear(next());
    EXPECT_NE(below_.closed, "");
    EXPECT_TRUE(said("transfers to links that are closed"));
}

TEST_F(AmqpDeliveryTest, LimitsHoldAlsoWhenManySessionsComeAtOnce) {
    MITRAL_PROVES("T-DOS-02");
    below_.closed.clear();
    connection_ = stand_.endpoint.accept(below_);  // a stranger
    std::string many = "AMQP\x00\x01\x00\x00"s + performative('\x10', text(""), 1);
    for (char channel = 0; channel < 30; ++channel)
        many += on_channel(channel, begin());
    EXPECT_FALSE(hear(many));
    EXPECT_TRUE(said("too many sessions"));
    const auto before = below_.output.size();
    EXPECT_FALSE(hear(on_channel(31, begin())));
    EXPECT_EQ(below_.output.size(), before);
}

class PeerRulesTest : public ::testing::Test {
  protected:
    bool passes(const std::string& bytes) {
        const auto channel = static_cast<std::uint8_t>(bytes.at(7));
        return rules_.judge(channel, base::as_bytes(bytes).subspan(8)).has_value();
    }
    PeerRules rules_;
};

TEST_F(PeerRulesTest, OneSessionOnAChannelThatAnswersNone) {
    MITRAL_PROVES("T-DOS-01");
    EXPECT_TRUE(passes(begin()));
    EXPECT_FALSE(passes(begin()));
    const auto end_frame = performative('\x17', "", 0);
    EXPECT_TRUE(passes(end_frame));
    EXPECT_FALSE(passes(end_frame));
    EXPECT_TRUE(passes(begin()));
    for (const auto& remote : {"\x43"s, "\x60\x00\x00"s, "\x52\x00"s})
        EXPECT_FALSE(passes(on_channel(1, performative('\x11', remote + "\x43\x43\x43"s, 4))));
}

TEST_F(PeerRulesTest, OneLinkUnderAHandleThatIsNoneOfTheHighest) {
    MITRAL_PROVES("T-DOS-01");
    EXPECT_TRUE(passes(begin()));
    EXPECT_TRUE(passes(attach(1, sends, "$cbs")));
    EXPECT_FALSE(passes(attach(1, sends, "$cbs")));
    EXPECT_TRUE(passes(on_channel(1, attach(1, sends, "$cbs"))));
    EXPECT_TRUE(passes(detach(1)));
    EXPECT_FALSE(passes(detach(1)));
    EXPECT_TRUE(passes(attach(1, sends, "$cbs")));
    const auto high = [](const std::string& handle) {
        return performative('\x12', text("name") + handle + sends, 3);
    };
    EXPECT_FALSE(passes(high("\x70\x80\x00\x00\x00"s)));
    EXPECT_FALSE(passes(high("\x70\xff\xff\xff\xff"s)));
    EXPECT_FALSE(passes(high("\x40"s)));
    EXPECT_TRUE(passes(high("\x70\x7f\xff\xff\xff"s)));
}

TEST_F(PeerRulesTest, OneOpen) {
    const auto opening = performative('\x10', text(""), 1);
    EXPECT_TRUE(passes(opening));
    EXPECT_FALSE(passes(opening));
}

TEST_F(PeerRulesTest, ADispositionOfManySaysSomethingAndNotMuch) {
    MITRAL_PROVES("T-DOS-02");
    const auto disposition = [](const std::string& range, const std::string& settled_and_state) {
        return performative('\x15', "\x41"s + range + settled_and_state, 5);
    };
    const auto one = "\x52\x01\x40"s;
    const auto many = "\x43\x70\x00\x01\x00\x00"s;
    const auto accepted = "\x00\x53\x24\x45"s;
    const auto received = "\x00\x53\x23\x45"s;
    EXPECT_TRUE(passes(disposition(one, "\x42\x40"s)));
    EXPECT_TRUE(passes(disposition(many, "\x42"s + accepted)));
    EXPECT_TRUE(passes(disposition(many, "\x41\x40"s)));
    EXPECT_FALSE(passes(disposition(many, "\x42\x40"s)));
    EXPECT_FALSE(passes(disposition(many, "\x42"s + received)));
    const auto body = "\x00\x53\x15\xd0\x00\x00\x01\x50\x00\x00\x00\x05\x41"s + many +
                      "\x41\x00\x53\x25\xd0\x00\x00\x01\x38\x00\x00\x00\x01"s +
                      std::string(0x134, '\x40');
    EXPECT_FALSE(passes(frame(body) + body));
}

TEST_F(PeerRulesTest, RefusesWhatIsNoPerformative) {
    for (const auto& body : {"\x01"s, "\x00\x53"s, "\x00\x53\x0f\x45"s, "\x00\x53\x19\x45"s,
                             "\x00\xa1\x01x\x45"s, "\x00\x53\x14\x40"s, "\x00\x53\x14\xc0"s,
                             "\x00\x53\x14\xc0\x00\x00"s, "\x00\x53\x14\xc0\x02\x01\x40"s})
        EXPECT_FALSE(rules_.judge(0, base::as_bytes(body)));
    EXPECT_TRUE(rules_.judge(0, {}));
}

TEST_F(PeerRulesTest, ReadsNoFieldPastTheEndOfTheList) {
    // The count speaks of two fields; the list ends after the first.
    EXPECT_FALSE(rules_.judge(0, base::as_bytes("\x00\x53\x14\xc0\x02\x02\x43\x43\xa0\x01t\x43"s)));
    EXPECT_TRUE(rules_.judge(0, base::as_bytes("\x00\x53\x14\xc0\x03\x02\x43\x43\xa0\x01t\x43"s)));
}

TEST_F(PeerRulesTest, KeepsChannelsApart) {
    EXPECT_TRUE(passes(on_channel(3, attach(0, sends, "$cbs"))));
    const auto first = "\x00\x53\x14\xc0\x09\x06\x43\x43\xa0\x01t\x43\x42\x41"s;
    const auto next = "\x00\x53\x14\xc0\x02\x01\x43"s;
    EXPECT_TRUE(rules_.judge(3, base::as_bytes(first)));
    EXPECT_FALSE(rules_.judge(4, base::as_bytes(next)));
    EXPECT_TRUE(rules_.judge(3, base::as_bytes(next)));
    EXPECT_FALSE(rules_.judge(3, base::as_bytes(next))) << "the last one ended it";
}

}  // namespace
}  // namespace mitral::cloud::amqp
