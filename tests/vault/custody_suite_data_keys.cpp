#include <set>

#include "vault/custody_suite.hpp"

namespace mitral::test {
namespace {

using vault::VaultError;

class DataKeys : public CustodySuite {};
MITRAL_FOR_EVERY_BACKEND(DataKeys);

TEST_P(DataKeys, OpenToTheSameKeyAcrossARestart) {
    MITRAL_PROVES("T-DATA-03", "T-PHY-01");
    const auto made = bench.backend().new_data_key();
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->key.size(), 32U);
    EXPECT_LE(made->wrapped.size(), 1024U);
    bench.restart();
    const auto opened = bench.backend().open_data_key(made->wrapped);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_TRUE(base::equal_constant_time(opened->view(), made->key.view()));
}

TEST_P(DataKeys, AreAllDifferent) {
    MITRAL_PROVES("T-DATA-04");
    std::set<base::Bytes> keys;
    std::set<base::Bytes> wrapped;
    for (int i = 0; i < 10; ++i) {
        const auto made = bench.backend().new_data_key();
        ASSERT_TRUE(made);
        keys.emplace(made->key.view().begin(), made->key.view().end());
        wrapped.insert(made->wrapped);
    }
    EXPECT_EQ(keys.size(), 10U);
    EXPECT_EQ(wrapped.size(), 10U);
}

TEST_P(DataKeys, DoNotOpenOnAnotherUnit) {
    MITRAL_PROVES("T-PHY-01", "T-DATA-03");
    Bench other(GetParam());
    const auto made = bench.backend().new_data_key();
    ASSERT_TRUE(made);
    EXPECT_EQ(code_of(other.backend().open_data_key(made->wrapped)), VaultError::key_refused);
}

TEST_P(DataKeys, HostileBlobsAreRefused) {
    MITRAL_PROVES("T-SW-04", "T-SW-05");
    const auto made = bench.backend().new_data_key();
    ASSERT_TRUE(made);
    const auto& good = made->wrapped;
    for (std::size_t at = 0; at < good.size(); at += 3) {
        auto altered = good;
        altered[at] ^= 0x40;
        EXPECT_FALSE(bench.backend().open_data_key(altered)) << at;
    }
    for (std::size_t size = 0; size < good.size(); size += 5)
        EXPECT_FALSE(bench.backend().open_data_key(base::ByteView(good).first(size))) << size;
    base::Bytes noise(4000);
    base::fill_random(noise);
    EXPECT_EQ(code_of(bench.backend().open_data_key(noise)), VaultError::key_refused);
    EXPECT_TRUE(bench.backend().open_data_key(good));
}

// A device's key is no data key: the way out is closed for it.
TEST_P(DataKeys, AProvisionedKeyCannotBeOpenedAsOne) {
    MITRAL_PROVES("T-KEY-03", "T-KEY-04");
    const auto order = bench.provision_order();
    for (const auto& key : order.keys)
        EXPECT_EQ(code_of(bench.backend().open_data_key(key.blob)), VaultError::key_refused);
}

}  // namespace
}  // namespace mitral::test
