#include "vault/settings.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/encoding.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/open_backend.hpp"

namespace mitral::test {
namespace {

using vault::Operation;
using vault::Request;

class VaultSettings : public ::testing::Test {
  protected:
    void SetUp() override {
        write(base::to_base64(*base::ed25519_public_key(base::ed25519_new_key())) + "\n");
    }
    void write(const std::string& key) { std::ofstream(scratch.path() + "/station.pub") << key; }
    [[nodiscard]] base::Result<vault::Settings> read(const std::string& more) {
        const auto config = base::Config::parse(
            "[vault]\nstation_key = \"" + scratch.path() + "/station.pub\"\n" + more, "test");
        if (!config)
            return std::unexpected(config.error());
        return vault::read_settings(*config);
    }
    ScratchDirectory scratch;
};

TEST_F(VaultSettings, TheDefaultIsATpmAndNoRightForStrangers) {
    MITRAL_PROVES("T-ID-03", "T-KEY-05", "CR 7.7");
    const auto settings = read("");
    ASSERT_TRUE(settings) << settings.error().message();
    EXPECT_EQ(settings->backend, "tpm");
    EXPECT_EQ(settings->tcti, "device:/dev/tpmrm0");
    Request request;
    for (std::uint8_t number = 1; number <= vault::last_operation; ++number) {
        request.operation = static_cast<Operation>(number);
        EXPECT_FALSE(settings->rights.allows(54321, request));
    }
    request.operation = Operation::mint_hub;
    EXPECT_FALSE(settings->rights.allows(0, request));  // root carries orders, and mints nothing
}

TEST_F(VaultSettings, LimitsAreReadAndTokensAreFewByDefault) {
    MITRAL_PROVES("T-TOK-04");
    const auto usual = read("");
    ASSERT_TRUE(usual);
    EXPECT_EQ(usual->rate.mints.per_hour, 60U);
    EXPECT_EQ(usual->rate.mints.burst, 120U);
    EXPECT_EQ(usual->rate.pseudonyms.burst, 600U);
    EXPECT_EQ(usual->rate.pseudonyms.per_hour, 240U);
    EXPECT_EQ(usual->rate.evidence.burst, 30U);
    EXPECT_EQ(usual->rate.evidence.per_hour, 240U);
    const auto chosen = read(
        "rate_burst = 1\nrate_per_minute = 2\nmint_burst = 3\nmints_per_hour = 4\n"
        "pseudonym_burst = 5\npseudonyms_per_hour = 6\n"
        "evidence_burst = 7\nevidence_per_hour = 8\n");
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->rate.requests.burst, 1U);
    EXPECT_EQ(chosen->rate.requests.per_minute, 2U);
    EXPECT_EQ(chosen->rate.mints.burst, 3U);
    EXPECT_EQ(chosen->rate.mints.per_hour, 4U);
    EXPECT_EQ(chosen->rate.pseudonyms.burst, 5U);
    EXPECT_EQ(chosen->rate.pseudonyms.per_hour, 6U);
    EXPECT_EQ(chosen->rate.evidence.burst, 7U);
    EXPECT_EQ(chosen->rate.evidence.per_hour, 8U);
}

TEST_F(VaultSettings, PeersReplaceTheDefaults) {
    MITRAL_PROVES("T-ID-03");
    const auto settings = read(
        "[[vault.peer]]\nuser = \"4242\"\nmay = [\"mint-hub\"]\n"
        "identities = [\"modules/DeviceUpdate\"]\n");
    ASSERT_TRUE(settings) << settings.error().message();
    Request request{Operation::mint_hub, {}, "DeviceUpdate", {}, {}};
    EXPECT_TRUE(settings->rights.allows(4242, request));
    request.module_id.clear();
    EXPECT_FALSE(settings->rights.allows(4242, request));
    request.operation = Operation::status;
    EXPECT_FALSE(settings->rights.allows(0, request));
}

TEST_F(VaultSettings, MistakesAreNamed) {
    MITRAL_PROVES("T-SW-07");
    for (const char* text :
         {"backend = \"optee2\"", "colour = 1", "rate_burst = 0", "mint_burst = 0",
          "mints_per_hour = 0", "socket = 5", "[[vault.peer]]\nuser = \"0\"\nmay = [\"sign\"]",
          "[[vault.peer]]\nmay = [\"status\"]",
          "[[vault.peer]]\nuser = \"no-such-user-here\"\nmay = []",
          "[[vault.peer]]\nuser = \"0\"\nmay = []\nidentities = [\"modules/\"]",
          "[[vault.peer]]\nuser = \"0\"\nmay = []\nidentities = [\"*\"]",
          "[[vault.peer]]\nuser = \"0\"\nmay = []\nresource = \"x\""}) {
        const auto settings = read(text);
        EXPECT_FALSE(settings) << text;
    }
    for (const char* key : {"", "AAAA", "not base64 at all", "-----BEGIN PUBLIC KEY-----"}) {
        write(key);
        EXPECT_FALSE(read("")) << key;
    }
}

TEST_F(VaultSettings, TheSandboxOpensTheTpmAndNothingElse) {
    MITRAL_PROVES("T-SW-06", "T-WAY-02");
    const auto sandbox_for = [this](const std::string& tcti) {
        return vault::backend_sandbox(*read("state = \"/s\"\ntcti = \"" + tcti + "\""));
    };
    const auto device = sandbox_for("device:/dev/tpmrm0");
    ASSERT_TRUE(device);
    EXPECT_FALSE(device->internet);
    EXPECT_TRUE(device->tcp_connect.empty());
    EXPECT_EQ(device->writable, (std::vector<std::string>{"/s", "/dev/tpmrm0"}));
    const auto software = sandbox_for("swtpm:host=127.0.0.1,port=4000");
    ASSERT_TRUE(software);
    EXPECT_EQ(software->tcp_connect, (std::vector<std::uint16_t>{4000, 4001}));
    EXPECT_EQ(software->writable, (std::vector<std::string>{"/s"}));
    EXPECT_FALSE(software->execute);
    for (const char* tcti : {"cmd:sh", "swtpm:port=0", "swtpm:port=65535", "swtpm:port=12x", ""})
        EXPECT_FALSE(sandbox_for(tcti)) << tcti;
    const auto none = vault::backend_sandbox(*read("state = \"/s\"\nbackend = \"software\""));
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->internet);
}

}  // namespace
}  // namespace mitral::test
