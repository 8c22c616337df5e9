#include <gmock/gmock.h>

#include "trusted/protocol.h"
#include "vault/custody_suite.hpp"
#include "vault/module_key.hpp"

namespace mitral::test {
namespace {

using vault::VaultError;

class Tokens : public ProvisionedSuite {};
MITRAL_FOR_EVERY_BACKEND(Tokens);

TEST_P(Tokens, DeviceTokenIsSignedWithTheDeviceKeyForItsOwnResource) {
    MITRAL_PROVES("T-KEY-04", "T-TOK-02", "CR 1.14");
    const auto token = bench.mint();
    ASSERT_TRUE(token) << token.error().message();
    EXPECT_TRUE(is_signed_with(*token, bench.device_key.view()));
    const auto parts = split(*token);
    EXPECT_EQ(parts.sr, "contoso.azure-devices.net%2Fdevices%2Funit-0042");
    EXPECT_EQ(parts.se, std::to_string(start_s + 3600));
    EXPECT_EQ(parts.skn, "");
    EXPECT_EQ(token->not_after_s, start_s + 3600);
    // Negative control: the check does tell keys apart.
    EXPECT_FALSE(is_signed_with(*token, bench.station_key.view()));
}

TEST_P(Tokens, HubNameKeepsItsPort) {
    const auto token = bench.mint(other_hub);
    ASSERT_TRUE(token);
    EXPECT_EQ(split(*token).sr, "localhost%3A38883%2Fdevices%2Funit-0042");
    EXPECT_TRUE(is_signed_with(*token, bench.device_key.view()));
}

TEST_P(Tokens, RegistrationTokenIsForDpsAlone) {
    MITRAL_PROVES("T-TOK-02");
    const auto token = bench.backend().mint(vault::RegistrationTokenRequest{base::Seconds(600)});
    ASSERT_TRUE(token) << token.error().message();
    EXPECT_TRUE(is_signed_with(*token, bench.device_key.view()));
    EXPECT_EQ(split(*token).sr, "0ne000A0A0A%2Fregistrations%2Funit-0042");
    EXPECT_EQ(split(*token).skn, "registration");
}

TEST_P(Tokens, ModuleTokenIsSignedWithItsDerivedKey) {
    MITRAL_PROVES("T-KEY-01", "T-TOK-02");
    const auto token = bench.mint(hub, module);
    ASSERT_TRUE(token) << token.error().message();
    const auto key = vault::derive_module_key(bench.device_key.view(), module);
    EXPECT_TRUE(is_signed_with(*token, key.view()));
    EXPECT_FALSE(is_signed_with(*token, bench.device_key.view()));
    EXPECT_EQ(split(*token).sr,
              "contoso.azure-devices.net%2Fdevices%2Funit-0042%2Fmodules%2FDeviceUpdate");
}

TEST_P(Tokens, LifetimeHasABoundOnBothSides) {
    MITRAL_PROVES("T-TOK-01");
    constexpr std::int64_t day = 24 * 3600;
    EXPECT_TRUE(bench.mint(hub, {}, 1));
    EXPECT_TRUE(bench.mint(hub, {}, day));
    for (const std::int64_t lifetime :
         {std::int64_t{0}, std::int64_t{-1}, std::int64_t{-3600}, day + 1, 10 * 365 * day,
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        EXPECT_EQ(code_of(bench.mint(hub, {}, lifetime)), VaultError::lifetime_refused) << lifetime;
        EXPECT_EQ(
            code_of(bench.backend().mint(vault::RegistrationTokenRequest{base::Seconds(lifetime)})),
            VaultError::lifetime_refused)
            << lifetime;
    }
}

TEST_P(Tokens, PolicyLowersTheCap) {
    MITRAL_PROVES("T-TOK-01");
    auto order = bench.order(vault::OrderKind::policy);
    order.policy = standard_policy();
    order.policy->max_lifetime_s = 1800;
    ASSERT_TRUE(bench.execute(order));
    EXPECT_TRUE(bench.mint(hub, {}, 1800));
    EXPECT_EQ(code_of(bench.mint(hub, {}, 1801)), VaultError::lifetime_refused);
    EXPECT_EQ(bench.status().max_token_lifetime_s, 1800U);
}

TEST_P(Tokens, OnlyListedHubsExactly) {
    MITRAL_PROVES("T-TOK-02", "T-MITM-04", "T-KEY-04");
    for (const std::string_view name :
         {"evil.azure-devices.net", "contoso.azure-devices.ne", "contoso.azure-devices.net.",
          "contoso.azure-devices.netx", "CONTOSO.azure-devices.net", "xcontoso.azure-devices.net",
          "localhost", "localhost:38884", "localhost:3888", "", " contoso.azure-devices.net",
          "contoso.azure-devices.net/devices/other", "contoso.azure-devices.net\n1"})
        EXPECT_EQ(code_of(bench.mint(name)), VaultError::not_listed) << name;
    EXPECT_EQ(code_of(bench.mint(std::string_view("contoso.azure-devices.net\0", 26))),
              VaultError::not_listed);
}

TEST_P(Tokens, OnlyListedModulesExactly) {
    MITRAL_PROVES("T-TOK-02", "T-KEY-04");
    for (const std::string_view name : {"DeviceUpdat", "DeviceUpdate2", "deviceupdate",
                                        "$edgeAgent", "DeviceUpdate/", "../unit-0043"})
        EXPECT_EQ(code_of(bench.mint(hub, name)), VaultError::not_listed) << name;
}

TEST_P(Tokens, AnImplausibleClockMintsNothing) {
    MITRAL_PROVES("T-TIME-01");
    bench.clock.set_state(base::ClockState::implausible);
    EXPECT_EQ(code_of(bench.mint()), VaultError::clock_refused);
    bench.clock.set_state(base::ClockState::free_running);
    EXPECT_TRUE(bench.mint());
}

TEST_P(Tokens, AClockSetBackBelowTheFloorMintsNothing) {
    MITRAL_PROVES("T-TIME-01");
    for (const std::int64_t back :
         {start_s - 1, start_s - 86400, std::int64_t{0}, std::int64_t{-1}}) {
        bench.clock.step_wall(base::WallTime{back * 1000});
        EXPECT_EQ(code_of(bench.mint()), VaultError::clock_refused) << back;
    }
    bench.clock.step_wall(base::WallTime{start_s * 1000});
    EXPECT_TRUE(bench.mint());
}

TEST_P(Tokens, AClockSetForwardStaysWithinTheAllowance) {
    MITRAL_PROVES("T-TIME-01", "T-TOK-01");
    const std::int64_t last = start_s + allowance_s - 3600;
    bench.clock.step_wall(base::WallTime{last * 1000});
    EXPECT_TRUE(bench.mint());
    for (const std::int64_t ahead : {last + 1, std::int64_t{2145916800} /* 2038 */,
                                     std::int64_t{253402300799}, std::int64_t{9'000'000'000'000}}) {
        bench.clock.step_wall(base::WallTime{ahead * 1000});
        EXPECT_EQ(code_of(bench.mint()), VaultError::clock_refused) << ahead;
    }
}

TEST_P(Tokens, OnlyASignedOrderRaisesTheFloor) {
    MITRAL_PROVES("T-TIME-01");
    bench.clock.step_wall(base::WallTime{(start_s + allowance_s) * 1000});
    ASSERT_EQ(code_of(bench.mint()), VaultError::clock_refused);
    EXPECT_EQ(bench.status().time_floor_s, start_s);
    auto order = bench.order(vault::OrderKind::policy);
    order.policy = standard_policy();
    order.time_s = start_s + allowance_s;
    ASSERT_TRUE(bench.execute(order));
    EXPECT_EQ(bench.status().time_floor_s, start_s + allowance_s);
    EXPECT_TRUE(bench.mint());
    // A later order with an earlier time does not lower it.
    order = bench.order(vault::OrderKind::policy);
    order.policy = standard_policy();
    order.time_s = start_s;
    ASSERT_TRUE(bench.execute(order));
    EXPECT_EQ(bench.status().time_floor_s, start_s + allowance_s);
}

TEST_P(Tokens, MintsAreCountedAndTheCountSurvives) {
    MITRAL_PROVES("T-ID-02", "T-TOK-04");
    const auto before = bench.status().mint_count;
    ASSERT_TRUE(bench.mint());
    ASSERT_TRUE(bench.mint(hub, module));
    EXPECT_EQ(bench.status().mint_count, before + 2);
    EXPECT_FALSE(bench.mint("evil.azure-devices.net"));
    EXPECT_EQ(bench.status().mint_count, before + 2);
    EXPECT_EQ(bench.status().refusal_count, 1U);
    bench.restart();
    const auto later = bench.status().mint_count;
    EXPECT_GE(later, before + 2);
    EXPECT_LE(later, before + (GetParam() == BackendKind::optee ? TRUSTED_MINTS_AHEAD : 2));
    ASSERT_TRUE(bench.mint());
    EXPECT_EQ(bench.status().mint_count, later + 1);
}

TEST_P(Tokens, AThousandHostileNamesGetNoToken) {
    MITRAL_PROVES("T-KEY-04", "T-SW-05");
    for (int i = 0; i < 1000; ++i) {
        base::Bytes noise(static_cast<std::size_t>(i % 300));
        base::fill_random(noise);
        EXPECT_FALSE(bench.mint(base::as_text(noise)));
        EXPECT_FALSE(bench.mint(hub, std::string("x").append(base::as_text(noise))));
    }
    EXPECT_EQ(bench.status().mint_count, 0U);
}

class Unprovisioned : public CustodySuite {};
MITRAL_FOR_EVERY_BACKEND(Unprovisioned);

TEST_P(Unprovisioned, MintsNothingButKeepsAcquisitionGoing) {
    MITRAL_PROVES("T-ID-01", "T-KEY-05");
    EXPECT_EQ(code_of(bench.mint()), VaultError::not_provisioned);
    EXPECT_EQ(code_of(bench.backend().mint(vault::RegistrationTokenRequest{base::Seconds(60)})),
              VaultError::not_provisioned);
    EXPECT_EQ(bench.status().state, vault::VaultState::unprovisioned);
    EXPECT_EQ(bench.status().mint_count, 0U);
    EXPECT_TRUE(bench.backend().new_data_key());
}

TEST_P(Unprovisioned, StatusNamesTheBackEndAndItsBoundary) {
    const auto status = bench.status();
    EXPECT_EQ(status.backend, to_string(GetParam()));
    if (GetParam() == BackendKind::software) {
        EXPECT_THAT(status.boundary, ::testing::HasSubstr("development only"));
    }
    EXPECT_GT(status.boundary.size(), 40U);
}

}  // namespace
}  // namespace mitral::test
