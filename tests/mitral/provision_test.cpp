#include "mitral/provision.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cli {
namespace {

class PolicyArguments : public ::testing::Test {
  protected:
    PolicyArguments() {
        to.id_scope = "0ne00000001";
        to.dps_host = "localhost:1";
        to.hubs = {"localhost:2"};
    }
    void name_a_time_authority() {
        const auto key = *base::ed25519_public_key(base::ed25519_new_key());
        to.time_key_file = directory.path("time.pub");
        ASSERT_TRUE(test::ok(
            base::replace_file(to.time_key_file, base::as_bytes(base::to_base64(key)), 0600)));
    }
    [[nodiscard]] std::uint32_t allowance() const { return make_policy(to)->allowance_s; }

    test::TemporaryDirectory directory;
    ProvisionArguments to;
};

// Every default must be one that a unit takes.
TEST_F(PolicyArguments, TheAllowanceIsSmallBesideATimeAuthority) {
    MITRAL_PROVES("T-TIME-01");
    EXPECT_EQ(allowance(), 400U * 86'400);
    EXPECT_TRUE(vault::decode_policy(vault::encode(*make_policy(to))));
    name_a_time_authority();
    EXPECT_EQ(allowance(), 2U * 86'400);
    EXPECT_TRUE(vault::decode_policy(vault::encode(*make_policy(to))));
    to.allowance_s = 86'400;
    EXPECT_EQ(allowance(), 86'400U);
}

}  // namespace
}  // namespace mitral::cli
