#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"
#include "cloud/tls/client_certificate.hpp"
#include "support/certificates.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud {
namespace {

using test::CertificateAuthority;

const test::TemporaryDirectory& place() {
    static const test::TemporaryDirectory directory;
    return directory;
}

std::string text_of(const std::string& file) {
    return *base::read_text_file(file, tls::max_certificate);
}

base::Bytes der_of(const std::string& pem) {
    std::string base64;
    for (std::size_t at = pem.find('\n') + 1; pem[at] != '-'; ++at)
        if (pem[at] != '\n')
            base64 += pem[at];
    return *base::from_base64(base64);
}

struct Issued {
    std::string pem;
    base::Bytes der;
};

Issued issued(const CertificateAuthority& authority, const test::CertificateRequest& request) {
    authority.issue(request, place().path("leaf.pem"), place().path("leaf.key"));
    const auto pem = text_of(place().path("leaf.pem"));
    return {pem, der_of(pem)};
}

std::string pem_of(const CertificateAuthority& authority) {
    authority.write_certificate(place().path("authority.pem"));
    return text_of(place().path("authority.pem"));
}

base::WallTime now() {
    return base::SystemClock().wall();
}

base::WallTime days_from_now(int days) {
    return {now().ms + days * std::int64_t{86'400'000}};
}

TEST(ClientCertificate, TellsTheSameFactsOfPemAndBase64) {
    const CertificateAuthority ward("ward");
    const auto leaf = issued(ward, {.dns_name = "dev-01"});
    const auto facts = tls::read_certificate(leaf.pem);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->subject, "CN=dev-01");
    EXPECT_EQ(facts->issuer, "CN=ward");
    EXPECT_EQ(facts->sha1.size(), 40U);
    EXPECT_EQ(facts->sha256, tls::sha256_thumbprint(leaf.der));
    EXPECT_FALSE(facts->is_authority);
    EXPECT_TRUE(tls::read_certificate(pem_of(ward))->is_authority);
    const auto same = tls::read_certificate(base::to_base64(leaf.der));
    ASSERT_TRUE(same);
    EXPECT_EQ(same->pem, facts->pem);
    for (const auto* text : {"", "nonsense", "bm9uc2Vuc2U=", "-----BEGIN CERTIFICATE-----\n"})
        EXPECT_EQ(tls::read_certificate(text).error().code, CloudError::invalid_argument) << text;
    EXPECT_FALSE(tls::read_certificate(leaf.pem + std::string(tls::max_certificate, ' ')));
}

TEST(ClientCertificate, ThumbprintsAreOfEitherDigestAndAnyCase) {
    MITRAL_PROVES("CR 1.2", "CR 1.9");
    const CertificateAuthority ward("ward");
    const auto leaf = issued(ward, {.dns_name = "dev-01"});
    const auto twin = issued(ward, {.dns_name = "dev-01"});
    const auto facts = *tls::read_certificate(leaf.pem);
    auto lower = facts.sha256;
    for (auto& c : lower)
        c = static_cast<char>(std::tolower(c));
    for (const auto& thumbprint : {facts.sha1, facts.sha256, lower}) {
        EXPECT_TRUE(tls::has_thumbprint(leaf.der, thumbprint));
        EXPECT_FALSE(tls::has_thumbprint(twin.der, thumbprint));
        EXPECT_FALSE(tls::has_thumbprint(leaf.der, thumbprint.substr(2)));
    }
    EXPECT_FALSE(tls::has_thumbprint(leaf.der, ""));
    EXPECT_FALSE(tls::has_thumbprint({}, facts.sha1));
    EXPECT_EQ(tls::sha256_thumbprint({}), "");
}

TEST(ClientCertificate, IsGoodBetweenItsDates) {
    MITRAL_PROVES("CR 1.9");
    const CertificateAuthority ward("ward");
    const auto leaf =
        issued(ward, {.dns_name = "dev-01", .valid_from_days = 2, .valid_until_days = 4});
    EXPECT_TRUE(tls::check_dates(leaf.der, days_from_now(3)));
    for (const int day : {0, 1, 5})
        EXPECT_EQ(tls::check_dates(leaf.der, days_from_now(day)).error().code,
                  CloudError::not_authorised);
    EXPECT_FALSE(tls::check_dates({}, now()));
}

TEST(ClientCertificate, ChainsEndAtARegisteredAuthority) {
    MITRAL_PROVES("CR 1.8", "CR 1.9");
    const CertificateAuthority ward("ward");
    const CertificateAuthority other("ward");
    const std::vector<std::string> known{pem_of(other), pem_of(ward)};
    const std::vector<base::Bytes> chain{issued(ward, {.dns_name = "dev-01"}).der};
    EXPECT_EQ(*tls::check_chain(chain, known, now()), 1);
    EXPECT_FALSE(tls::check_chain(chain, {known[0]}, now()));
    EXPECT_FALSE(tls::check_chain(chain, {}, now()));
    EXPECT_FALSE(tls::check_chain(chain, known, days_from_now(31)));
    EXPECT_FALSE(tls::check_chain(chain, known, days_from_now(-3)));
    EXPECT_FALSE(tls::check_chain({}, known, now()));
    auto damaged = chain;
    damaged[0].back() ^= 1;
    EXPECT_FALSE(tls::check_chain(damaged, known, now()));
    EXPECT_FALSE(tls::check_chain(chain, {"no certificate"}, now()));
    const std::vector<base::Bytes> with_rubbish{chain[0], base::Bytes{1, 2, 3}};
    EXPECT_EQ(tls::check_chain(with_rubbish, known, now()).error().code,
              CloudError::not_authorised);
}

TEST(ClientCertificate, HasOneCommonName) {
    const CertificateAuthority ward("ward");
    EXPECT_EQ(*tls::common_name(issued(ward, {.dns_name = "dev-01"}).der), "dev-01");
    EXPECT_FALSE(tls::common_name({}));
}

}  // namespace
}  // namespace mitral::cloud
