#include "net/trust.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "net/error.hpp"
#include "net/tls.hpp"
#include "support/certificates.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::net {
namespace {

using base::BaseError;
using test::failed_with;
using test::ok;

class Trust : public ::testing::Test {
  protected:
    void SetUp() override {
        for (const char* name : {"old", "new"})
            test::CertificateAuthority(name).write_certificate(
                directory.path(std::string(name) + ".pem"));
        write_key(authority);
    }
    void write_key(const base::Secret& key) const {
        const auto text = base::to_base64(*base::ed25519_public_key(key));
        ASSERT_TRUE(ok(base::replace_file(settings.bundle_key_file, base::as_bytes(text), 0644)));
    }
    [[nodiscard]] std::string pem(const std::string& name) const {
        return *base::read_text_file(directory.path(name + ".pem"), 10'000);
    }
    [[nodiscard]] std::string bundle(std::uint64_t version) const {
        return *sign_trust_bundle({version, pem("new")}, authority);
    }

    test::TemporaryDirectory directory;
    base::Secret authority = base::ed25519_new_key();
    TrustSettings settings{
        {directory.path("old.pem")}, directory.path("bundle"), directory.path("fleet.pub")};
};

TEST_F(Trust, FilesHoldUntilABundleIsThere) {
    EXPECT_EQ(*pinned_roots(settings), std::vector{pem("old")});
    ASSERT_TRUE(ok(install_trust_bundle(settings, bundle(1))));
    const auto roots = pinned_roots(settings);
    ASSERT_TRUE(ok(roots));
    EXPECT_EQ(*roots, std::vector{pem("new")});
    EXPECT_TRUE(ok(TlsContext::client({{}, *roots, TlsVersion::tls12, "", ""})));
}

TEST_F(Trust, TakesNewerBundlesOnly) {
    MITRAL_PROVES("T-MITM-01", "CR 1.8", "GP-TM-07");
    ASSERT_TRUE(ok(install_trust_bundle(settings, bundle(2))));
    EXPECT_TRUE(failed_with(install_trust_bundle(settings, bundle(1)), BaseError::not_authentic));
    EXPECT_TRUE(failed_with(install_trust_bundle(settings, bundle(2)), BaseError::not_authentic));
    EXPECT_TRUE(ok(install_trust_bundle(settings, bundle(3))));
}

TEST_F(Trust, RefusesAnotherSigner) {
    MITRAL_PROVES("T-MITM-01", "CR 3.4");
    const auto forged = *sign_trust_bundle({9, pem("new")}, base::ed25519_new_key());
    EXPECT_TRUE(failed_with(install_trust_bundle(settings, forged), BaseError::not_authentic));
    EXPECT_EQ(*pinned_roots(settings), std::vector{pem("old")});
}

TEST_F(Trust, ADamagedBundleIsNeverAFallBack) {
    MITRAL_PROVES("T-MITM-01", "CR 3.4");
    const auto good = bundle(1);
    for (std::size_t i = 0; i < good.size() - 1;
         i += 7) {  // the last newline is not part of anything
        std::string damaged = good;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        ASSERT_TRUE(ok(base::replace_file(settings.bundle_file, base::as_bytes(damaged), 0644)));
        EXPECT_FALSE(pinned_roots(settings)) << "byte " << i;
    }
    for (std::size_t size = 0; size < good.size() - 1; size += 5) {
        ASSERT_TRUE(ok(
            base::replace_file(settings.bundle_file, base::as_bytes(good.substr(0, size)), 0644)));
        EXPECT_FALSE(pinned_roots(settings)) << "cut to " << size;
    }
    ASSERT_TRUE(ok(base::replace_file(settings.bundle_file, base::as_bytes(good), 0644)));
    EXPECT_TRUE(ok(pinned_roots(settings)));
}

TEST_F(Trust, RefusesToSignNonsense) {
    EXPECT_TRUE(failed_with(sign_trust_bundle({0, pem("new")}, authority), BaseError::malformed));
    EXPECT_TRUE(
        failed_with(sign_trust_bundle({1, "no certificate"}, authority), BaseError::malformed));
    EXPECT_TRUE(failed_with(
        sign_trust_bundle({1, pem("new") + std::string(max_bundle_size, '#')}, authority),
        BaseError::too_large));
}

TEST_F(Trust, SaysWhichFileIsMissing) {
    settings.root_files = {directory.path("gone.pem")};
    const auto roots = pinned_roots(settings);
    ASSERT_TRUE(failed_with(roots, NetError::trust_store));
    EXPECT_NE(roots.error().context.find("gone.pem"), std::string::npos);
}

}  // namespace
}  // namespace mitral::net
