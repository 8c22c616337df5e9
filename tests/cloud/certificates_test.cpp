#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "cloud/tls/self_signed.hpp"
#include "cloud/tls/x509.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::tls {
namespace {

constexpr base::WallTime now{1'790'000'000'000};
constexpr std::int64_t day_ms = 86'400'000;

struct Loaded {
    std::string authority;
    std::string server;
    Identity identity;
};

Loaded ensure(const std::string& directory, const std::vector<std::string>& names,
              base::WallTime at = now) {
    const auto files = ensure_certificates(directory, names, at);
    EXPECT_TRUE(files) << (files ? "" : files.error().message());
    Loaded loaded{*base::read_text_file(files->ca, 65'536),
                  *base::read_text_file(files->certificate, 65'536),
                  {}};
    auto identity = parse_identity(loaded.server, *base::read_text_file(files->key, 65'536));
    EXPECT_TRUE(identity);
    loaded.identity = *std::move(identity);
    return loaded;
}

TEST(Certificates, NameWhatTheyAreFor) {
    MITRAL_PROVES("T-MITM-02");
    const test::TemporaryDirectory directory;
    const auto loaded = ensure(directory.path("tls"), {"hub.mitral.test", "127.0.0.1", "::1"});
    for (const auto* name : {"hub.mitral.test", "127.0.0.1", "::1"})
        EXPECT_TRUE(is_for_name(*loaded.identity.certificate, name)) << name;
    for (const auto* name : {"dps.mitral.test", "mitral.test", "127.0.0.2"})
        EXPECT_FALSE(is_for_name(*loaded.identity.certificate, name)) << name;
}

TEST(Certificates, StayUntilANameOrTheEndAsksForNewOnes) {
    const test::TemporaryDirectory directory;
    const auto first = ensure(directory.path("tls"), {"localhost"});
    EXPECT_EQ(ensure(directory.path("tls"), {"localhost"}).server, first.server);
    const auto named = ensure(directory.path("tls"), {"localhost", "hub.mitral.test"});
    EXPECT_NE(named.server, first.server);
    EXPECT_EQ(named.authority, first.authority);
    const auto later = ensure(directory.path("tls"), {"localhost"}, {now.ms + 380 * day_ms});
    EXPECT_NE(later.server, named.server);
    EXPECT_EQ(later.authority, first.authority);
}

TEST(Certificates, KeysAreForTheirOwnerAlone) {
    MITRAL_PROVES("T-KEY-05", "CR 1.9");
    const test::TemporaryDirectory directory;
    const auto one = ensure(directory.path("one"), {"localhost"});
    const auto two = ensure(directory.path("two"), {"localhost"});
    EXPECT_NE(one.authority, two.authority);  // no key ships with the product
    for (const auto* name : {"one/ca.key", "one/server.key"}) {
        struct stat status{};
        ASSERT_EQ(::stat(directory.path(name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
    }
}

}  // namespace
}  // namespace mitral::cloud::tls
