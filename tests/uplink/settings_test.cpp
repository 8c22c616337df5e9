#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/config.hpp"
#include "base/file.hpp"
#include "spool/errors.hpp"
#include "spool/reader.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"
#include "uplink/assignment.hpp"
#include "uplink/error.hpp"
#include "uplink/program.hpp"
#include "uplink/settings.hpp"
#include "uplink/status.hpp"
#include "uplink/vault_session.hpp"
#include "vault/errors.hpp"

namespace mitral::uplink {
namespace {

using testing::HasSubstr;

base::Result<Settings> settings_of(const std::string& text) {
    auto config = base::Config::parse(text, "test.toml");
    if (!config)
        return std::unexpected(config.error());
    return read_settings(config->table("uplink"));
}

TEST(Settings, ReadsATable) {
    const auto settings = settings_of(
        "[uplink]\nroot_files = [\"a.pem\"]\nhub_port = 38883\nproxy = \"proxy:3128\"\n"
        "minimum_tls = \"1.3\"\nmax_messages_per_s = 0\n");
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_EQ(settings->hub_port, 38883);
    EXPECT_EQ(settings->proxy->port, 3128);
    EXPECT_EQ(settings->tls.minimum, net::TlsVersion::tls13);
    EXPECT_EQ(sandbox_policy(*settings).tcp_connect, (std::vector<std::uint16_t>{3128, 53}));
}

TEST(Settings, RefusesWhatItDoesNotKnow) {
    MITRAL_PROVES("T-SW-07");
    EXPECT_FALSE(settings_of("[uplink]\nroot_files = [\"a\"]\nminimum_tls = \"1.1\"\n"));
    EXPECT_FALSE(settings_of("[uplink]\nroot_files = [\"a\"]\nsubscriptions = [\"x\"]\n"));
    EXPECT_FALSE(settings_of("[uplink]\nroot_files = []\n"));
    EXPECT_FALSE(settings_of("[uplink]\nroot_files = [\"a\"]\ntoken_lifetime_s = 86401\n"));
    EXPECT_FALSE(settings_of("[uplink]\nroot_files = [\"a\"]\nwindow = 0\n"));
}

// The default names every adapter's spool, and most units run one adapter.
TEST(Settings, ASpoolThatIsNotThereIsWaitedFor) {
    MITRAL_PROVES("T-DATA-01");
    const test::TemporaryDirectory directory;
    auto settings = settings_of("[uplink]\nroot_files = [\"a.pem\"]\n");
    ASSERT_TRUE(settings);
    EXPECT_THAT(settings->spools,
                testing::ElementsAre("/var/lib/mitral/spool/lines", "/var/lib/mitral/spool/hl7"));
    settings->spools = {directory.path("lines"), directory.path("hl7")};
    ASSERT_TRUE(base::make_directory(settings->spools[0], 0700));
    EXPECT_THAT(sandbox_policy(*settings).readable,
                testing::IsSupersetOf({directory.path("lines"), directory.path()}));
    class NoKeys final : public spool::KeyOpener {
        base::Result<base::Secret> open_segment_key(base::ByteView) override {
            return base::fail(spool::SpoolError::full, "nobody asks");
        }
    } keys;
    for (const auto& spool : settings->spools) {
        const auto reader =
            spool::LaneReader::open(spool, spool::Lane::vitals, directory.path("position"), keys);
        ASSERT_TRUE(reader) << reader.error().message();
        EXPECT_EQ((*reader)->backlog().value(), 0U);
        EXPECT_FALSE((*reader)->next().value().has_value());
    }
}

TEST(Sandbox, ReachesItsOwnPlacesOnly) {
    MITRAL_PROVES("T-SW-06");
    Settings settings;
    settings.user = "mitral-uplink";
    settings.state = "/var/lib/mitral/uplink";
    settings.status_file = "/run/mitral/uplink.json";
    settings.assignment_file = "/var/lib/mitral/enrol/assignment.json";
    settings.spools = {"/var/lib/mitral/spool/never-there"};
    const auto policy = sandbox_policy(settings);
    EXPECT_EQ(policy.user, "mitral-uplink");
    EXPECT_THAT(policy.writable, testing::ElementsAre("/var/lib/mitral/uplink", "/run/mitral"));
    EXPECT_THAT(policy.readable, testing::Contains("/var/lib/mitral/enrol"));
    EXPECT_THAT(policy.readable, testing::Contains("/var/lib/mitral/spool"));
    EXPECT_FALSE(policy.execute);
    EXPECT_TRUE(policy.tcp_bind.empty());
}

TEST(Assignment, IsTaken) {
    const auto assignment = parse_assignment(
        R"({"hub":"localhost:38883","device_id":"unit-1","dps":"x","assigned_at":"y"})", 38883);
    ASSERT_TRUE(assignment) << assignment.error().message();
    EXPECT_EQ(assignment->hub, "localhost:38883");
    EXPECT_EQ(assignment->host, "localhost");
    EXPECT_TRUE(parse_assignment(R"({"hub":"h.azure-devices.net","device_id":"d"})", 8883));
}

TEST(Assignment, HostileOnesAreRefused) {
    MITRAL_PROVES("T-SW-03", "T-MITM-04");
    for (const std::string& text : std::vector<std::string>{
             "", "null", "[]", "{}", R"({"hub":"h"})", R"({"hub":1,"device_id":"d"})",
             R"({"hub":"h","device_id":"a/b"})", R"({"hub":"h","device_id":"a#"})",
             R"({"hub":"h","device_id":"a+"})", R"({"hub":"h","device_id":""})",
             R"({"hub":"H/../x","device_id":"d"})", R"({"hub":"h:22","device_id":"d"})",
             R"({"hub":"h:8883:1","device_id":"d"})", R"({"hub":"h\u0000","device_id":"d"})",
             R"({"hub":")" + std::string(300, 'a') + R"(","device_id":"d"})",
             std::string(9'000, ' ') + "{}", std::string(8'000, '[')}) {
        const auto assignment = parse_assignment(text, 8883);
        ASSERT_FALSE(assignment) << text.substr(0, 60);
        EXPECT_EQ(assignment.error().code, UplinkError::malformed_assignment);
    }
}

TEST(Status, IsJsonWithoutSecrets) {
    MITRAL_PROVES("T-LOG-01");
    StatusReport report;
    report.state = "waiting";
    report.hub = "h\"\\\n\x01\xff";
    report.lanes.push_back({{"lines", spool::Lane::vitals}, {1, 2, 3, 4}, 5, 6, ""});
    Histogram latency;
    latency.add(1'500);
    const auto json = nlohmann::json::parse(to_json(report, latency, {1'767'225'600'000}));
    EXPECT_EQ(json["schema"], "mitral.uplink-status/1");
    EXPECT_EQ(json["connected"], false);
    EXPECT_EQ(json["queued"], 6);
    EXPECT_EQ(json["lanes"][0]["records"], 2);
    EXPECT_EQ(json["updated"], "2026-01-01T00:00:00.000Z");
    EXPECT_TRUE(json["connected_since"].is_null());
    EXPECT_NEAR(json["puback_ms"]["p50"].get<double>(), 1.5, 0.4);
}

class FakeVault final : public vault::Client {
  public:
    explicit FakeVault(int calls) : calls_(calls) {}
    base::Result<vault::Token> mint(const vault::HubTokenRequest&) override {
        if (calls_-- <= 0)
            return base::fail(vault::VaultError::vault_unavailable, "fake");
        return vault::Token{base::Secret(base::as_bytes("token")), 1};
    }
    base::Result<vault::Token> mint(const vault::RegistrationTokenRequest&) override {
        return base::fail(std::make_error_code(std::errc::not_supported), "");
    }
    base::Result<vault::DataKey> new_data_key() override {
        return base::fail(std::make_error_code(std::errc::not_supported), "");
    }
    base::Result<base::Secret> open_data_key(base::ByteView) override {
        return base::fail(std::make_error_code(std::errc::not_supported), "");
    }
    base::Result<vault::Pseudonym> pseudonym(const vault::Patient&) override {
        return base::fail(std::make_error_code(std::errc::not_supported), "");
    }
    base::Result<vault::VaultStatus> status() override { return vault::VaultStatus{}; }
    base::Result<base::Bytes> begin_provisioning() override {
        return base::fail(std::make_error_code(std::errc::not_supported), "");
    }
    base::Status execute(base::ByteView) override { return {}; }

  private:
    int calls_;
};

TEST(VaultSession, ComesBackAfterTheVaultWasRestarted) {
    int connections = 0;
    VaultSession vault([&]() -> base::Result<std::unique_ptr<vault::Client>> {
        ++connections;
        return std::make_unique<FakeVault>(2);
    });
    for (int i = 0; i < 6; ++i)
        EXPECT_TRUE(vault.mint("hub", base::Seconds(60)));
    EXPECT_EQ(connections, 3);
}

TEST(VaultSession, DoesNotHammerAVaultThatRefuses) {
    int connections = 0;
    VaultSession vault([&]() -> base::Result<std::unique_ptr<vault::Client>> {
        ++connections;
        return std::make_unique<FakeVault>(0);
    });
    EXPECT_FALSE(vault.mint("hub", base::Seconds(60)));
    EXPECT_EQ(connections, 1);
}

}  // namespace
}  // namespace mitral::uplink
