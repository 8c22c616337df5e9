#include "mitral/trust.hpp"

#include <gtest/gtest.h>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "net/trust.hpp"
#include "support/certificates.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cli {
namespace {

using test::failed_with;
using test::ok;

class TrustCommand : public ::testing::Test {
  protected:
    void SetUp() override {
        test::CertificateAuthority("next").write_certificate(directory.path("next.pem"));
        const auto key = base::ed25519_new_key();
        write("fleet.key", base::to_base64(key.view()));
        write("fleet.pub", base::to_base64(*base::ed25519_public_key(key)));
        const net::TrustSettings trust{{}, directory.path("bundle"), directory.path("fleet.pub")};
        settings.enrol.emplace().trust = trust;
        settings.uplink.emplace().trust = trust;
    }
    void write(const std::string& name, const std::string& text) const {
        ASSERT_TRUE(ok(base::replace_file(directory.path(name), base::as_bytes(text), 0600)));
    }
    // Signs version `version` into the file "new" and installs it.
    [[nodiscard]] base::Result<std::uint64_t> roll_over(std::uint64_t version) const {
        const auto bundle =
            sign_trust({version, directory.path("fleet.key"), {directory.path("next.pem")}});
        EXPECT_TRUE(ok(bundle));
        write("new", *bundle);
        return install_trust(settings, directory.path("new"));
    }

    test::TemporaryDirectory directory;
    UnitSettings settings;
};

TEST_F(TrustCommand, RollsOverToWhatTheFleetSigned) {
    MITRAL_PROVES("T-MITM-01", "CR 1.8", "GP-TM-07");
    EXPECT_EQ(*roll_over(4), 4U);
    const auto roots = net::pinned_roots(settings.uplink->trust);
    ASSERT_TRUE(ok(roots));
    EXPECT_EQ(roots->front(), *base::read_text_file(directory.path("next.pem"), 10'000));
    EXPECT_TRUE(failed_with(roll_over(3), base::BaseError::not_authentic));
}

TEST_F(TrustCommand, TwoPlacesAreBothServed) {
    settings.uplink->trust.bundle_file = directory.path("uplink-bundle");
    ASSERT_TRUE(ok(roll_over(1)));
    EXPECT_TRUE(ok(net::pinned_roots(settings.enrol->trust)));
    EXPECT_TRUE(ok(net::pinned_roots(settings.uplink->trust)));
}

TEST_F(TrustCommand, SaysWhenTheConfigurationHasNoPlace) {
    settings.enrol.reset();
    settings.uplink->trust.bundle_file.clear();
    EXPECT_TRUE(failed_with(roll_over(1), base::BaseError::invalid_setting));
}

}  // namespace
}  // namespace mitral::cli
