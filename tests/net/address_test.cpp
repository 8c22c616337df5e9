#include "net/address.hpp"

#include <gtest/gtest.h>

#include "support/proves.hpp"

namespace mitral::net {
namespace {

bool holds(std::string_view network, std::string_view address) {
    return Network::parse(network).value().contains(Address::parse(address).value());
}

TEST(Address, ReadsBothKindsAndWritesThemBack) {
    for (const char* text : {"10.1.2.3", "255.255.255.255", "::1", "2001:db8::17"})
        EXPECT_EQ(Address::parse(text).value().to_text(), text);
    EXPECT_EQ(Address::parse("::ffff:10.1.2.3"), Address::parse("10.1.2.3"));
    for (const char* text : {"", "10.1.2", "10.1.2.3.4", "monitor-17", "10.1.2.3/8", "10.1.2.256"})
        EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(Network, HoldsTheAddressesOfItsPrefix) {
    MITRAL_PROVES("CR 1.2");
    EXPECT_TRUE(holds("10.1.2.3", "10.1.2.3"));
    EXPECT_FALSE(holds("10.1.2.3", "10.1.2.4"));
    EXPECT_TRUE(holds("10.1.2.0/24", "10.1.2.255"));
    EXPECT_FALSE(holds("10.1.2.0/24", "10.1.3.0"));
    EXPECT_TRUE(holds("10.1.2.128/25", "10.1.2.200"));
    EXPECT_FALSE(holds("10.1.2.128/25", "10.1.2.127"));
    EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(holds("2001:db8::/32", "2001:db8:1::1"));
    EXPECT_FALSE(holds("2001:db8::/32", "2001:db9::1"));
    EXPECT_TRUE(holds("10.1.2.0/24", "::ffff:10.1.2.9"));
}

TEST(Network, RefusesWhatIsNotOne) {
    for (const char* text : {"", "/24", "10.1.2.0/", "10.1.2.0/33", "10.1.2.0/-1", "10.1.2.0/2x",
                             "10.1.2.3/24", "2001:db8::/129", "ward.example/24"})
        EXPECT_FALSE(Network::parse(text)) << text;
    EXPECT_LT(Network::parse("10.0.0.0/8")->prefix(), Network::parse("10.1.2.3")->prefix());
}

}  // namespace
}  // namespace mitral::net
