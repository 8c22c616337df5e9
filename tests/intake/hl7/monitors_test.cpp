#include "intake/hl7/monitors.hpp"

#include <gtest/gtest.h>

#include "intake/hl7/pace.hpp"
#include "support/proves.hpp"

namespace mitral::intake::hl7 {
namespace {

Monitor monitor(std::string source, const char* network, std::string certificate) {
    Monitor entry;
    entry.sender.source = std::move(source);
    if (*network != '\0')
        entry.network = net::Network::parse(network).value();
    entry.certificate = std::move(certificate);
    return entry;
}

class MonitorsTest : public ::testing::Test {
  protected:
    std::string who(std::string_view address, std::vector<std::string> names = {}) {
        const auto found = monitors.identify(net::Address::parse(address).value(), names);
        return found ? (*found)->sender.source : "nobody: " + std::string(found.error());
    }
    bool known(std::string_view address) const {
        return monitors.known(net::Address::parse(address).value());
    }

    Monitors monitors{{monitor("by-address", "10.1.2.3", ""), monitor("by-both", "10.1.2.4", "m4"),
                       monitor("ward", "10.1.2.0/24", ""), monitor("by-name", "", "m9"),
                       monitor("dialled", "", "")}};
};

TEST_F(MonitorsTest, TheNarrowestEntryDecides) {
    MITRAL_PROVES("T-MON-01", "CR 1.2");
    EXPECT_EQ(who("10.1.2.3"), "by-address");
    EXPECT_EQ(who("10.1.2.9"), "ward");
    EXPECT_EQ(who("10.1.2.4", {"m4"}), "by-both");
    EXPECT_EQ(who("10.9.9.9", {"other", "m9"}), "by-name");
}

TEST_F(MonitorsTest, NobodyIsTakenForTheMonitorAtItsAddress) {
    MITRAL_PROVES("T-MON-01", "CR 1.2");
    EXPECT_EQ(who("10.1.2.4"), "nobody: the monitor at this address has to show its certificate");
    // Not even for one of the ward around it, which asks for no certificate.
    EXPECT_EQ(who("10.1.2.4", {"m9"}),
              "nobody: the certificate is not that of the monitor at this address");
    EXPECT_EQ(who("10.9.9.9", {"m4"}),
              "nobody: the certificate is not that of the monitor at this address");
    const Monitors only_dialled({monitor("dialled", "", "")});
    EXPECT_FALSE(only_dialled.known(net::Address::parse("10.1.2.3").value()));
}

// A monitor on wheels keeps its name wherever it is plugged in, or it is nobody.
TEST_F(MonitorsTest, AWardDoesNotTakeTheReadingsOfAMonitorThatShowsWhoItIs) {
    MITRAL_PROVES("T-MON-01", "CR 1.2");
    EXPECT_EQ(who("10.1.2.77", {"m9"}), "by-name");
    EXPECT_EQ(who("10.1.2.3", {"m9"}), "by-name");
    EXPECT_EQ(who("10.1.2.77", {"m4"}),
              "nobody: the certificate is not that of the monitor at this address");
    EXPECT_EQ(who("10.1.2.77", {"unheard-of"}), "ward");
}

TEST_F(MonitorsTest, AnybodyMayTryWhereACertificateAloneDecides) {
    EXPECT_TRUE(known("203.0.113.9"));
    monitors.all()[3].certificate.clear();
    EXPECT_FALSE(known("203.0.113.9"));
    EXPECT_EQ(who("203.0.113.9"), "nobody: no monitor is configured at this address");
    EXPECT_TRUE(known("10.1.2.77"));
}

TEST(TokenBucket, GivesASecondsWorthAtOnceAndThenItsRate) {
    TokenBucket bucket(10);
    const base::MonotonicTime start{5'000'000'000};
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(bucket.wait(start).count(), 0);
        bucket.take(1, start);
    }
    EXPECT_GT(bucket.wait(start).count(), 0);
    EXPECT_LE(bucket.wait(start).count(), 101);
    EXPECT_EQ(bucket.wait(start + base::Milliseconds(101)).count(), 0);
    EXPECT_FALSE(bucket.full(start + base::Milliseconds(900)));
    EXPECT_TRUE(bucket.full(start + base::Milliseconds(1000)));
}

TEST(TokenBucket, ALargeFrameIsPaidForAfterwards) {
    TokenBucket bucket(10);
    const base::MonotonicTime start{5'000'000'000};
    bucket.take(100, start);
    EXPECT_GT(bucket.wait(start + base::Milliseconds(8900)).count(), 0);
    EXPECT_EQ(bucket.wait(start + base::Milliseconds(9001)).count(), 0);
}

TEST(Paces, AReconnectGainsNothing) {
    MITRAL_PROVES("T-DOS-01", "T-MON-03");
    Paces paces(10);
    const auto one = monitor("one", "10.1.2.3", "");
    const auto address = net::Address::parse("10.1.2.3").value();
    const base::MonotonicTime now{5'000'000'000};
    paces.of(one, address, now)->take(100, now);
    EXPECT_GT(paces.of(one, address, now)->wait(now).count(), 0);
    EXPECT_EQ(paces.of(one, net::Address::parse("10.1.2.4").value(), now)->wait(now).count(), 0);
}

}  // namespace
}  // namespace mitral::intake::hl7
