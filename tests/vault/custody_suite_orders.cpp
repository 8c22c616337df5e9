#include <limits>

#include "roughtime/clock.h"
#include "vault/custody_suite.hpp"
#include "vault/module_key.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;
using vault::VaultError;
using vault::VaultState;

class Provisioning : public CustodySuite {};
MITRAL_FOR_EVERY_BACKEND(Provisioning);

TEST_P(Provisioning, GivesTheUnitItsIdentity) {
    MITRAL_PROVES("T-ID-01");
    ASSERT_TRUE(bench.provision());
    const auto status = bench.status();
    EXPECT_EQ(status.state, VaultState::ready);
    EXPECT_EQ(status.registration_id, registration_id);
    EXPECT_EQ(status.id_scope, "0ne000A0A0A");
    EXPECT_EQ(status.dps_host, "global.azure-devices-provisioning.net");
    EXPECT_EQ(status.time_floor_s, start_s);
    EXPECT_EQ(status.time_allowance_s, allowance_s);
    EXPECT_TRUE(bench.mint());
}

TEST_P(Provisioning, HappensOnce) {
    MITRAL_PROVES("T-ID-01", "T-ID-02");
    ASSERT_TRUE(bench.provision());
    EXPECT_EQ(code_of(bench.provision()), VaultError::already_provisioned);
    bench.restart();
    EXPECT_EQ(code_of(bench.provision()), VaultError::already_provisioned);
    EXPECT_TRUE(bench.mint());
}

TEST_P(Provisioning, NeedsTheStationsSignature) {
    MITRAL_PROVES("T-ID-01");
    const auto order = bench.provision_order();
    EXPECT_EQ(code_of(bench.execute(order, base::ed25519_new_key())),
              VaultError::order_not_authentic);
    EXPECT_EQ(bench.status().state, VaultState::unprovisioned);
    EXPECT_TRUE(bench.execute(order));  // the same order, signed by the station, is good
}

TEST_P(Provisioning, AnswersTheLastStatementAndNoOther) {
    MITRAL_PROVES("T-ID-01");
    const auto old = bench.provision_order();
    const auto fresh = bench.provision_order();  // voids the statement before
    EXPECT_EQ(code_of(bench.execute(old)), VaultError::order_replayed);
    EXPECT_TRUE(bench.execute(fresh));
}

TEST_P(Provisioning, AStatementDoesNotOutliveTheProcess) {
    MITRAL_PROVES("T-ID-01");
    const auto order = bench.provision_order();
    bench.restart();
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::order_replayed);
}

TEST_P(Provisioning, KeysForAnotherUnitDoNotOpenHere) {
    MITRAL_PROVES("T-ID-02", "T-KEY-03");
    Bench other(GetParam());
    auto order = bench.provision_order();
    order.keys = other.provision_order().keys;
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::key_refused);
    EXPECT_EQ(bench.status().state, VaultState::unprovisioned);
}

TEST_P(Provisioning, AlteredKeysAreRefused) {
    MITRAL_PROVES("T-ID-01", "T-SW-05");
    const auto good = bench.provision_order();
    const std::size_t size = good.keys[0].blob.size();
    for (std::size_t at = 0; at < size; at += 1 + size / 40) {
        auto order = bench.provision_order();
        order.keys[0].blob[at] ^= 0x01;
        EXPECT_FALSE(bench.execute(order)) << at;
    }
    auto truncated = bench.provision_order();
    truncated.keys[0].blob.pop_back();
    EXPECT_EQ(code_of(bench.execute(truncated)), VaultError::key_refused);
    EXPECT_EQ(bench.status().state, VaultState::unprovisioned);
    EXPECT_TRUE(bench.provision());
}

class Orders : public ProvisionedSuite {
  protected:
    vault::Order quarantine() {
        auto order = bench.order(OrderKind::quarantine);
        order.reason = "case opened";
        return order;
    }
};
MITRAL_FOR_EVERY_BACKEND(Orders);

TEST_P(Orders, ACounterIsUsedOnceAndOnlyRises) {
    MITRAL_PROVES("T-ID-01");
    auto order = quarantine();
    ASSERT_TRUE(bench.execute(order));
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::order_replayed);
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::release)));
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::order_replayed);
    bench.restart();
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::order_replayed);
    order.counter = 1;
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::order_replayed);
    EXPECT_EQ(bench.status().state, VaultState::ready);
}

TEST_P(Orders, AreForOneUnit) {
    MITRAL_PROVES("T-ID-01");
    for (const std::string_view other : {"unit-0043", "unit-004", "unit-00421", "UNIT-0042"}) {
        auto order = quarantine();
        order.registration_id = other;
        EXPECT_EQ(code_of(bench.execute(order)), VaultError::order_not_for_unit) << other;
    }
    EXPECT_EQ(bench.status().state, VaultState::ready);
}

TEST_P(Orders, NeedAnAuthoritysSignature) {
    MITRAL_PROVES("T-ID-01");
    const auto stranger = base::ed25519_new_key();
    for (const auto kind : {OrderKind::quarantine, OrderKind::release, OrderKind::wipe,
                            OrderKind::confirm_rotation}) {
        EXPECT_EQ(code_of(bench.execute(bench.order(kind), stranger)),
                  VaultError::order_not_authentic);
        // Nor may one authority sign in the other's name.
        EXPECT_EQ(code_of(bench.execute(bench.order(kind), bench.fleet_key)),
                  VaultError::order_not_authentic);
    }
    EXPECT_EQ(bench.status().state, VaultState::ready);
}

TEST_P(Orders, TheFleetMaySignAllButProvisioning) {
    MITRAL_PROVES("T-ID-01");
    auto order = quarantine();
    order.signer = vault::Authority::fleet;
    EXPECT_EQ(code_of(bench.execute(order, bench.station_key)), VaultError::order_not_authentic);
    EXPECT_TRUE(bench.execute(order, bench.fleet_key));
    auto provision = bench.provision_order();
    provision.signer = vault::Authority::fleet;
    EXPECT_FALSE(vault::sign_order(provision, bench.fleet_key));
}

TEST_P(Orders, EveryTruncationAndBitFlipIsRefused) {
    MITRAL_PROVES("T-ID-01", "T-SW-05");
    const auto bytes = *vault::sign_order(quarantine(), bench.station_key);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(bench.backend().execute(base::ByteView(bytes).first(size))) << size;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        auto altered = bytes;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(bench.backend().execute(altered)) << bit;
    }
    auto longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(bench.backend().execute(longer));
    EXPECT_EQ(bench.status().state, VaultState::ready);
    EXPECT_TRUE(bench.backend().execute(bytes));
}

TEST_P(Orders, ARotationIsPendingUntilConfirmed) {
    MITRAL_PROVES("T-TOK-05", "CR 1.5");
    base::Secret next(32);
    base::fill_random(next.bytes());
    EXPECT_EQ(code_of(bench.execute(bench.order(OrderKind::confirm_rotation))),
              VaultError::state_refused);
    ASSERT_TRUE(bench.rotate_to(next.view()));
    EXPECT_TRUE(bench.status().pending_key);
    EXPECT_TRUE(is_signed_with(*bench.mint(), bench.device_key.view()));
    bench.restart();
    EXPECT_TRUE(bench.status().pending_key);
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::confirm_rotation)));
    EXPECT_FALSE(bench.status().pending_key);
    EXPECT_TRUE(is_signed_with(*bench.mint(), next.view()));
    EXPECT_FALSE(is_signed_with(*bench.mint(), bench.device_key.view()));
    EXPECT_TRUE(is_signed_with(*bench.mint(hub, module),
                               vault::derive_module_key(next.view(), module).view()));
    bench.restart();
    EXPECT_TRUE(is_signed_with(*bench.mint(), next.view()));
}

TEST_P(Orders, QuarantineStopsTokensButNotAcquisition) {
    MITRAL_PROVES("T-PHY-03", "CR 1.14");
    const auto before = bench.backend().new_data_key();
    ASSERT_TRUE(before);
    ASSERT_TRUE(bench.execute(quarantine()));
    EXPECT_EQ(bench.status().state, VaultState::quarantined);
    EXPECT_EQ(code_of(bench.mint()), VaultError::quarantined);
    EXPECT_EQ(code_of(bench.mint(hub, module)), VaultError::quarantined);
    EXPECT_EQ(code_of(bench.backend().mint(vault::RegistrationTokenRequest{base::Seconds(60)})),
              VaultError::quarantined);
    // The alert can still travel, and readings are still taken.
    EXPECT_TRUE(bench.mint(hub, alert_module));
    EXPECT_TRUE(bench.backend().new_data_key());
    EXPECT_TRUE(bench.backend().open_data_key(before->wrapped));
    bench.restart();
    EXPECT_EQ(code_of(bench.mint()), VaultError::quarantined);
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::release)));
    EXPECT_TRUE(bench.mint());
    EXPECT_EQ(code_of(bench.execute(bench.order(OrderKind::release))), VaultError::state_refused);
}

TEST_P(Orders, AWipeVoidsEveryKey) {
    MITRAL_PROVES("T-PHY-03", "T-KEY-01");
    const auto old = bench.backend().new_data_key();
    ASSERT_TRUE(old);
    const auto count = bench.status().mint_count;
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    for (int start = 0; start < 2; ++start) {
        EXPECT_EQ(bench.status().state, VaultState::wiped);
        EXPECT_EQ(bench.status().registration_id, "");
        EXPECT_EQ(code_of(bench.mint()), VaultError::not_provisioned);
        EXPECT_EQ(code_of(bench.backend().open_data_key(old->wrapped)), VaultError::key_refused);
        bench.restart();
    }
    // Acquisition goes on under new keys; counters and floor do not start again.
    const auto fresh = bench.backend().new_data_key();
    ASSERT_TRUE(fresh);
    EXPECT_TRUE(bench.backend().open_data_key(fresh->wrapped));
    EXPECT_EQ(bench.status().time_floor_s, start_s);
    EXPECT_GE(bench.status().mint_count, count);
    EXPECT_EQ(code_of(bench.execute(bench.order(OrderKind::release))), VaultError::not_provisioned);
}

TEST_P(Orders, AfterAWipeTheStationMayProvisionAgainAndOldOrdersStayOld) {
    MITRAL_PROVES("T-ID-01", "T-PHY-03");
    const auto old = quarantine();
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    ASSERT_TRUE(bench.provision());
    EXPECT_TRUE(bench.mint());
    EXPECT_EQ(code_of(bench.execute(old)), VaultError::order_replayed);
}

TEST_P(Orders, APolicyReplacesTheLists) {
    MITRAL_PROVES("T-TOK-02");
    auto order = bench.order(OrderKind::policy);
    order.policy = standard_policy();
    order.policy->hubs = {"other.azure-devices.net"};
    order.policy->modules.clear();
    order.policy->quarantine_module.clear();
    ASSERT_TRUE(bench.execute(order));
    EXPECT_EQ(code_of(bench.mint(hub)), VaultError::not_listed);
    EXPECT_TRUE(bench.mint("other.azure-devices.net"));
    EXPECT_EQ(code_of(bench.mint("other.azure-devices.net", module)), VaultError::not_listed);
    // It named no fleet key: the fleet may sign no more.
    auto fleet = quarantine();
    fleet.signer = vault::Authority::fleet;
    EXPECT_EQ(code_of(bench.execute(fleet, bench.fleet_key)), VaultError::order_not_authentic);
    bench.restart();
    EXPECT_EQ(code_of(bench.mint(hub)), VaultError::not_listed);
}

// Floor and counter never fall, wipes included.
TEST_P(Orders, ThatAreTooFarAheadAreRefused) {
    MITRAL_PROVES("T-TIME-01", "T-ID-01");
    const std::int64_t far = start_s + ROUGHTIME_MAX_RISE_S;
    const auto executed = [this](std::int64_t time_s, std::uint64_t counter) {
        auto order = quarantine();
        if (time_s != 0)
            order.time_s = time_s;
        order.counter = counter;
        return code_of(bench.execute(order));
    };
    const auto last = bench.next_counter;
    EXPECT_EQ(executed(far + 1, last), VaultError::too_far_ahead);
    EXPECT_EQ(executed(253402300799, last), VaultError::too_far_ahead);
    EXPECT_EQ(executed(0, static_cast<std::uint64_t>(far + 1) * 1000), VaultError::too_far_ahead);
    EXPECT_EQ(executed(0, std::numeric_limits<std::uint64_t>::max()), VaultError::too_far_ahead);
    EXPECT_EQ(bench.status().state, VaultState::ready);
    EXPECT_EQ(bench.status().time_floor_s, start_s);
    // Negative control: the last of both; then the counter still rises, in steps.
    EXPECT_EQ(executed(0, static_cast<std::uint64_t>(far) * 1000 + 999), std::error_code{});
    EXPECT_EQ(executed(0, static_cast<std::uint64_t>(far) * 1000 + (1U << 20)), std::error_code{});
    EXPECT_EQ(executed(far, static_cast<std::uint64_t>(far) * 1000 + (2U << 20)),
              std::error_code{});
    EXPECT_EQ(bench.status().time_floor_s, far);
}

TEST_P(Provisioning, OfTheFarFutureIsRefused) {
    MITRAL_PROVES("T-TIME-01");
    auto order = bench.provision_order();
    order.time_s = 2'713'910'400;  // 2056
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::too_far_ahead);
    order = bench.provision_order();
    order.time_s = 2'713'910'399;
    EXPECT_TRUE(bench.execute(order));
}

TEST_P(Orders, GarbageIsRefused) {
    MITRAL_PROVES("T-SW-05");
    for (std::size_t size : {0U, 1U, 63U, 64U, 65U, 200U, 3584U, 3585U, 65535U}) {
        base::Bytes noise(size);
        base::fill_random(noise);
        EXPECT_EQ(code_of(bench.backend().execute(noise)), VaultError::order_malformed) << size;
    }
}

}  // namespace
}  // namespace mitral::test
