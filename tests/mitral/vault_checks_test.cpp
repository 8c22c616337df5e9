// Every answer of a vault, and which layer it blames.
#include "mitral/vault_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/proves.hpp"

namespace mitral::cli {
namespace {

using vault::VaultError;

VaultAnswer status(vault::VaultState state, std::string backend = "tpm") {
    vault::VaultStatus made;
    made.state = state;
    made.backend = std::move(backend);
    return made;
}
VaultAnswer failure(VaultError error) {
    return base::fail(error, "told");
}

TEST(VaultChecks, TellDaemonAndTrustZoneApart) {
    EXPECT_EQ(Verdict::ok, judge_vault(status(vault::VaultState::ready)).verdict);
    EXPECT_EQ(Verdict::failed, judge_vault(failure(VaultError::vault_unavailable)).verdict);
    EXPECT_EQ(Verdict::failed, judge_vault(failure(VaultError::refused)).verdict);
    for (const auto error : {VaultError::backend_unavailable, VaultError::backend_failure}) {
        EXPECT_EQ(Verdict::ok, judge_vault(failure(error)).verdict);
        const auto zone = judge_trust_zone(failure(error), "device:/dev/tpmrm0");
        EXPECT_EQ(Verdict::failed, zone.verdict);
        EXPECT_THAT(zone.remedy, testing::HasSubstr("/dev/tpmrm0"));
    }
}

TEST(VaultChecks, TheDevelopmentBackEndIsNeverJustFine) {
    MITRAL_PROVES("T-KEY-01");
    EXPECT_EQ(Verdict::warning,
              judge_trust_zone(status(vault::VaultState::ready, "software"), "").verdict);
    EXPECT_EQ(Verdict::ok, judge_trust_zone(status(vault::VaultState::ready, "tpm"), "").verdict);
}

TEST(VaultChecks, OnlyAReadyUnitIsProvisioned) {
    EXPECT_EQ(Verdict::ok, judge_provisioning(status(vault::VaultState::ready)).verdict);
    for (const auto state : {vault::VaultState::unprovisioned, vault::VaultState::quarantined,
                             vault::VaultState::wiped}) {
        const auto finding = judge_provisioning(status(state));
        EXPECT_EQ(Verdict::failed, finding.verdict);
        EXPECT_FALSE(finding.remedy.empty());
    }
}

TEST(VaultChecks, AMissingRightOfOursIsNoFaultOfTheUnit) {
    const auto judge = [](VaultError error) {
        return judge_mint_failure({make_error_code(error), "told"}, "hub", "mitral-uplink");
    };
    EXPECT_EQ(Verdict::skipped, judge(VaultError::refused).verdict);
    EXPECT_THAT(judge(VaultError::clock_refused).remedy, testing::HasSubstr("clock"));
    EXPECT_THAT(judge(VaultError::not_listed).remedy, testing::HasSubstr("signed list"));
    for (const auto error : {VaultError::clock_refused, VaultError::not_listed,
                             VaultError::rate_limited, VaultError::backend_failure})
        EXPECT_EQ(Verdict::failed, judge(error).verdict);
}

}  // namespace
}  // namespace mitral::cli
