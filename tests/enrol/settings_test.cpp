#include "enrol/settings.hpp"

#include <gtest/gtest.h>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "enrol/assignment.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::enrol {
namespace {

using test::failed_with;
using test::ok;

base::Result<Settings> read(std::string_view text) {
    MITRAL_TRY(const auto config, base::Config::parse(text, "test.toml"));
    return read_settings(config.table("enrol"));
}

TEST(EnrolSettings, DefaultsNeedOnlyThePinnedRoots) {
    const auto settings = read("[enrol]\nroot_files = [\"/etc/mitral/roots.pem\"]\n");
    ASSERT_TRUE(ok(settings));
    EXPECT_EQ("global.azure-devices-provisioning.net", settings->dps.host);
    EXPECT_EQ(443, settings->dps.port);
    EXPECT_EQ("/run/mitral/vault/vault.sock", settings->vault_socket);
    EXPECT_FALSE(settings->proxy);
}

TEST(EnrolSettings, ReadsWhatIsSet) {
    const auto settings =
        read("[enrol]\nroot_files = [\"r\"]\ndps = \"localhost:38443\"\nproxy = \"proxy.lan\"\n");
    ASSERT_TRUE(ok(settings));
    EXPECT_EQ(38443, settings->dps.port);
    EXPECT_EQ(8080, settings->proxy->port);
}

TEST(EnrolSettings, TheTlsFloorCanBeRaisedAndNotLowered) {
    MITRAL_PROVES("T-MITM-03");
    const std::string start = "[enrol]\nroot_files = [\"r\"]\n";
    EXPECT_EQ(net::TlsVersion::tls12, read(start)->minimum_tls);
    EXPECT_EQ(net::TlsVersion::tls12, read(start + "minimum_tls = \"1.2\"\n")->minimum_tls);
    EXPECT_EQ(net::TlsVersion::tls13, read(start + "minimum_tls = \"1.3\"\n")->minimum_tls);
    for (const auto* value : {"\"1.1\"", "\"\"", "\"1.30\"", "1.3"})
        EXPECT_TRUE(failed_with(read(start + "minimum_tls = " + value + "\n"),
                                base::BaseError::invalid_setting))
            << value;
}

TEST(EnrolSettings, RefusesWhatItDoesNotKnowOrCannotUse) {
    MITRAL_PROVES("T-SW-07");
    EXPECT_TRUE(failed_with(read(""), base::BaseError::invalid_setting));
    for (const auto* line :
         {"tokn_lifetime_s = 600", "dps = \"a/b\"", "dps = \"h:0\"", "dps = 7", "proxy = \":\"",
          "token_lifetime_s = 86401", "give_up_after_s = 0", "request_timeout_s = 301"})
        EXPECT_FALSE(read(std::string("[enrol]\nroot_files = [\"r\"]\n") + line + "\n")) << line;
}

TEST(AssignmentFile, IsWrittenWholeAndReadableByTheUplink) {
    const test::TemporaryDirectory directory;
    const auto path = directory.path("assignment.json");
    EXPECT_FALSE(has_assignment(path));
    ASSERT_TRUE(ok(write_assignment(path, {"hub.example:8883", "dev-01", "dps.example:443",
                                           base::WallTime{1'767'225'600'000}})));
    EXPECT_EQ(
        "{\"hub\":\"hub.example:8883\",\"device_id\":\"dev-01\",\"dps\":\"dps.example:443\","
        "\"assigned_at\":\"2026-01-01T00:00:00.000Z\"}\n",
        *base::read_text_file(path, 1024));
    EXPECT_TRUE(has_assignment(path));
    EXPECT_EQ(std::filesystem::perms(0644), std::filesystem::status(path).permissions());
    ASSERT_TRUE(ok(base::replace_file(path, base::as_bytes("{\"hub\":7}"), 0644)));
    EXPECT_FALSE(has_assignment(path));
}

}  // namespace
}  // namespace mitral::enrol
