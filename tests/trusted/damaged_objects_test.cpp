// Sealed objects that are lost, damaged or another unit's: the unit takes no token for granted,
// keeps what it knows, and takes readings on.
#include <filesystem>

#include "base/file.hpp"
#include "support/proves.hpp"
#include "vault/bench.hpp"
#include "vault/errors.hpp"
#include "vault/optee/wrapping.hpp"

namespace mitral::test {
namespace {

using vault::OrderKind;
using vault::VaultState;

// Where damage stays, and where the platform deletes what is damaged, as OP-TEE does.
class Objects : public ::testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        bench.host.deletes_damaged = GetParam();
        bench.restart();
    }
    void keep() {
        std::filesystem::remove_all(kept);
        std::filesystem::copy(bench.state_directory, kept);
    }
    void put_back() {
        std::filesystem::remove_all(bench.state_directory);
        std::filesystem::copy(kept, bench.state_directory);
        bench.restart();
    }
    [[nodiscard]] std::string object(int number) const {
        return bench.state_directory + "/object-" + std::to_string(number);
    }
    void damage(int number) { std::filesystem::resize_file(object(number), 20); }
    // Acts as wiped, says so, and readings can still be sealed.
    void expect_doubt() {
        bench.restart();
        EXPECT_EQ(bench.status().state, VaultState::wiped);
        EXPECT_FALSE(bench.mint());
        EXPECT_TRUE(bench.backend().new_data_key());
        EXPECT_EQ(code_of(bench.backend().open_data_key(base::Bytes(80, 1))),
                  vault::VaultError::backend_failure);
    }
    // The next starts are of the same mind, although the platform may show them something else.
    void expect_lasting_doubt() {
        for (int start = 0; start < 3; ++start)
            expect_doubt();
    }

    Bench bench{BackendKind::optee};
    std::string kept = bench.scratch.path() + "/kept";
};

TEST_P(Objects, DamagedOrMixedOnesAreRefusedAndHealWhenPutRight) {
    MITRAL_PROVES("T-PHY-01", "T-ID-02");
    Bench other(BackendKind::optee);
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(other.provision());
    ASSERT_TRUE(bench.mint());
    keep();
    for (const int number : {1, 2, 3}) {
        SCOPED_TRACE(number);
        damage(number);
        expect_lasting_doubt();
        put_back();
        EXPECT_TRUE(bench.mint());
        std::filesystem::copy(other.state_directory + "/object-" + std::to_string(number),
                              object(number), std::filesystem::copy_options::overwrite_existing);
        expect_lasting_doubt();
        put_back();
        EXPECT_TRUE(bench.mint());
        std::filesystem::remove(object(number));
        expect_lasting_doubt();
        put_back();
        EXPECT_TRUE(bench.mint());
    }
}

TEST_P(Objects, ThatAreLostTakeNeitherFloorNorOrderCounterWithThem) {
    MITRAL_PROVES("T-PHY-01", "T-TIME-01", "T-ID-01");
    ASSERT_TRUE(bench.provision());
    const auto old = bench.order(OrderKind::quarantine);
    keep();
    for (const int number : {1, 2, 3}) {
        SCOPED_TRACE(number);
        damage(number);
        for (int start = 0; start < 3; ++start) {
            expect_doubt();
            EXPECT_EQ(bench.status().time_floor_s, start_s);
        }
        // The station may begin again, in what is known; what it signed before stays old.
        ASSERT_TRUE(bench.provision());
        bench.restart();
        EXPECT_EQ(bench.status().state, VaultState::ready);
        EXPECT_EQ(code_of(bench.execute(old)), vault::VaultError::order_replayed);
        EXPECT_TRUE(bench.mint());
        put_back();
    }
}

TEST_P(Objects, AllDamagedAtOnceLeaveAUnitThatNobodyKnows) {
    MITRAL_PROVES("T-ID-02");
    const auto key_of = [this] { return vault::optee::verify(bench.statement())->attestation_key; };
    const auto key = key_of();
    ASSERT_TRUE(bench.provision());
    for (const int number : {1, 2, 3})
        damage(number);
    for (int start = 0; start < 3; ++start) {
        bench.restart();
        EXPECT_NE(bench.status().state, VaultState::ready);
        EXPECT_NE(key_of(), key);
        EXPECT_TRUE(bench.backend().new_data_key());
    }
}

TEST_P(Objects, TheAttestationKeyIsNotWrittenOverWhileItIsThere) {
    MITRAL_PROVES("T-ID-02");
    ASSERT_TRUE(bench.provision());
    const auto read = [this] { return *base::read_file(object(1), 4096); };
    keep();
    damage(1);
    const auto damaged = read();
    expect_doubt();
    EXPECT_EQ(std::filesystem::exists(object(1)), !GetParam());
    if (!GetParam()) {
        EXPECT_EQ(read(), damaged);
    }
    // Negative control: a station's order may.
    ASSERT_TRUE(bench.provision());
    EXPECT_NE(read(), damaged);
}

TEST_P(Objects, OfAnotherPieceOfHardwareDoNotOpen) {
    MITRAL_PROVES("T-PHY-01", "T-ID-02");
    ASSERT_TRUE(bench.provision());
    bench.hardware_key.bytes()[0] ^= 1;
    expect_doubt();
}

// The platform says that the disk is an older one, or empty: no token, no identity, but readings.
TEST_P(Objects, ThatThePlatformRefusesAltogetherDoNotStopReadings) {
    MITRAL_PROVES("T-PHY-01", "T-PHY-03");
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.mint());
    const auto key = bench.backend().new_data_key();
    ASSERT_TRUE(key);
    const auto says_why = [this] {
        return bench.status().boundary.find("storage is gone or older") != std::string::npos;
    };
    EXPECT_FALSE(says_why());
    bench.host.refuses_storage = true;
    expect_doubt();
    EXPECT_TRUE(says_why());
    const auto made = bench.backend().new_data_key();
    ASSERT_TRUE(made);
    EXPECT_TRUE(bench.backend().open_data_key(made->wrapped));
    EXPECT_EQ(code_of(bench.backend().open_data_key(key->wrapped)),
              vault::VaultError::backend_failure);  // no verdict: nobody gives the segment up
    EXPECT_EQ(code_of(bench.backend().begin_provisioning()), vault::VaultError::backend_failure);
    // The right disk heals it.
    bench.host.refuses_storage = false;
    bench.restart();
    EXPECT_FALSE(says_why());
    EXPECT_TRUE(bench.mint());
    EXPECT_TRUE(bench.backend().open_data_key(key->wrapped));
}

INSTANTIATE_TEST_SUITE_P(Platforms, Objects, ::testing::Bool(), [](const auto& platform) {
    return std::string(platform.param ? "DeletesDamaged" : "KeepsDamaged");
});

}  // namespace
}  // namespace mitral::test
