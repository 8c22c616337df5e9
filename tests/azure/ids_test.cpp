#include "azure/ids.hpp"

#include <gtest/gtest.h>

#include "azure/errors.hpp"
#include "support/proves.hpp"

namespace mitral::azure {
namespace {

TEST(Ids, RegistrationIdRules) {
    for (const auto* good :
         {"a", "dev-01", "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", "A.b_c:d-", "9"})
        EXPECT_TRUE(check_registration_id(good)) << good;
    for (const auto* bad :
         {"", "dev.", "dev_", "dev:", "dev 1", "dev/1", "dev+1", "d\xc3\xa9v", "a%41"})
        EXPECT_FALSE(check_registration_id(bad)) << bad;
    EXPECT_TRUE(check_registration_id(std::string(128, 'a')));
    EXPECT_FALSE(check_registration_id(std::string(129, 'a')));
    EXPECT_EQ("dev-ab:c", normal_registration_id("DEV-Ab:C"));
}

TEST(Ids, DeviceIdRefusesTheWildcardsOfMqtt) {
    EXPECT_TRUE(check_device_id("-:.%_*?!(),=@;$'aZ9"));
    EXPECT_FALSE(check_device_id("a+b"));
    EXPECT_FALSE(check_device_id("a#b"));
    EXPECT_FALSE(check_device_id("a/b"));
    EXPECT_FALSE(check_device_id(""));
    EXPECT_FALSE(check_device_id(std::string(129, 'a')));
}

TEST(Ids, HostsAreLowerCaseWithAnOptionalPort) {
    for (const auto* good : {"localhost", "hub.example:8883", "127.0.0.1:1", "a-b.c"})
        EXPECT_TRUE(check_host(good)) << good;
    for (const auto* bad :
         {"", "Hub.example", "hub..example", "hub:99999", "hub/x", "user@hub", "[::1]:1"})
        EXPECT_FALSE(check_host(bad)) << bad;
}

TEST(Ids, AnErrorNamesTheRuleAndNeverEchoesControlCharacters) {
    MITRAL_PROVES("T-LOG-01");
    const auto status = check_device_id("evil\nlevel=info\x1b[2J");
    ASSERT_FALSE(status);
    EXPECT_EQ(AzureError::invalid_name, status.error().code);
    EXPECT_EQ(std::string::npos, status.error().context.find('\n'));
    EXPECT_EQ(std::string::npos, status.error().context.find('\x1b'));
    EXPECT_NE(std::string::npos, status.error().context.find("device id"));
}

}  // namespace
}  // namespace mitral::azure
