// A Trusted Application that was built for one station.
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/errors.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;
using vault::VaultError;

class BuiltInStation : public ::testing::Test {
  protected:
    void build_for(const base::Secret& station) {
        bench.host.station_key = *base::ed25519_public_key(station);
        bench.restart();
    }
    [[nodiscard]] bool any_station() {
        return bench.status().boundary.find("station = any") != std::string::npos;
    }
    Bench bench{BackendKind::optee};
};

TEST_F(BuiltInStation, GivesTheIdentityAndNoOtherDoes) {
    MITRAL_PROVES("T-ID-01", "CR 1.5");
    build_for(base::ed25519_new_key());
    EXPECT_FALSE(any_station());
    const auto before = bench.status().refusal_count;
    const auto order = bench.provision_order();
    EXPECT_EQ(code_of(bench.execute(order)), VaultError::station_refused);
    EXPECT_EQ(bench.status().refusal_count, before + 1);
    EXPECT_EQ(bench.status().state, vault::VaultState::unprovisioned);
    build_for(bench.station_key);
    EXPECT_EQ(code_of(bench.execute(bench.provision_order(), base::ed25519_new_key())),
              VaultError::order_not_authentic);
    EXPECT_TRUE(bench.provision());
    EXPECT_TRUE(bench.mint());
}

// After a wipe as well: whoever holds a unit cannot make it his own.
TEST_F(BuiltInStation, HoldsAfterAWipe) {
    MITRAL_PROVES("T-ID-01");
    build_for(bench.station_key);
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    auto own = std::move(bench.station_key);
    bench.station_key = base::ed25519_new_key();
    bench.restart();
    EXPECT_EQ(code_of(bench.provision()), VaultError::station_refused);
    bench.station_key = std::move(own);
    bench.restart();
    EXPECT_TRUE(bench.provision());
}

TEST_F(BuiltInStation, ThatIsNotThereIsToldInTheStatus) {
    EXPECT_TRUE(any_station());
    EXPECT_TRUE(bench.provision());
}

}  // namespace
}  // namespace mitral::test
