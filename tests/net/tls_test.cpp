#include "net/tls.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <optional>

#include "base/file.hpp"
#include "support/certificates.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::net {
namespace {

using base::Result;
using base::UniqueFd;
using test::CertificateRequest;
using test::failed_with;
using test::ok;

struct Pair {
    TlsStream client;
    TlsStream server;
};

class Tls : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);
        authority.write_certificate(root);
    }

    [[nodiscard]] TlsServerOptions issue(const CertificateRequest& request) const {
        authority.issue(request, directory.path("server.pem"), directory.path("server.key"));
        return {directory.path("server.pem"), directory.path("server.key"), TlsVersion::tls12,
                false};
    }
    [[nodiscard]] TlsClientOptions client_options() const {
        return {{root}, {}, TlsVersion::tls12, "", ""};
    }

    static Pair connected(const TlsClientOptions& client, const TlsServerOptions& server,
                          const std::string& name) {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        const auto client_context = TlsContext::client(client);
        const auto server_context = TlsContext::server(server);
        EXPECT_TRUE(ok(client_context));
        EXPECT_TRUE(ok(server_context));
        return {*client_context->connect(UniqueFd(ends[0]), name),
                *server_context->accept(UniqueFd(ends[1]))};
    }

    // Drives both ends; the client's verdict is what counts.
    static Result<IoOutcome> shake_hands(Pair& pair) {
        for (int step = 0; step < 20; ++step) {
            auto client = pair.client.handshake();
            if (!client)
                return client;
            const auto server = pair.server.handshake();
            const bool server_done = server && server->kind == IoOutcome::Kind::done;
            if (client->kind == IoOutcome::Kind::done && server_done)
                return client;
        }
        return base::fail(NetError::handshake_failed, "no end");
    }

    Result<IoOutcome> attempt(const CertificateRequest& request,
                              const std::string& name = "localhost") {
        auto pair = connected(client_options(), issue(request), name);
        return shake_hands(pair);
    }

    test::TemporaryDirectory directory;
    test::CertificateAuthority authority{"Pinned Root"};
    std::string root = directory.path("root.pem");
};

TEST_F(Tls, SpeaksVersion13AndCarriesBytesBothWays) {
    auto pair = connected(client_options(), issue({}), "localhost");
    ASSERT_TRUE(ok(shake_hands(pair)));
    EXPECT_EQ(pair.client.version(), "TLSv1.3");
    EXPECT_NE(pair.client.cipher(), "");
    EXPECT_FALSE(pair.client.peer_certificate().empty());
    std::array<std::uint8_t, 64> buffer{};
    EXPECT_EQ(pair.client.read(buffer)->kind, IoOutcome::Kind::want_read);
    ASSERT_EQ(pair.server.write(base::as_bytes("reading"))->bytes, 7U);
    EXPECT_EQ(pair.client.read(buffer)->bytes, 7U);
    pair.server.shutdown();
    EXPECT_EQ(pair.client.read(buffer)->kind, IoOutcome::Kind::closed);
}

TEST_F(Tls, WritesInPartsWhenTheOtherSideIsSlow) {
    auto pair = connected(client_options(), issue({}), "localhost");
    ASSERT_TRUE(ok(shake_hands(pair)));
    const base::Bytes large(4 << 20, 'x');
    std::size_t sent = 0;
    std::size_t received = 0;
    std::array<std::uint8_t, 32 * 1024> buffer{};
    bool blocked = false;
    while (received < large.size()) {
        for (bool room = true; room && sent < large.size();) {
            const auto written = pair.client.write(base::ByteView(large).subspan(sent));
            ASSERT_TRUE(ok(written));
            sent += written->bytes;
            room = written->kind == IoOutcome::Kind::done;
            blocked |= !room;
        }
        const auto got = pair.server.read(buffer);
        ASSERT_TRUE(ok(got));
        received += got->bytes;
    }
    EXPECT_TRUE(blocked);
    EXPECT_EQ(sent, large.size());
}

TEST_F(Tls, AnAbruptEndIsALostConnection) {
    std::optional<Pair> pair = connected(client_options(), issue({}), "localhost");
    ASSERT_TRUE(ok(shake_hands(*pair)));
    {
        const TlsStream gone = std::move(pair->server);
    }
    std::array<std::uint8_t, 8> buffer{};
    EXPECT_TRUE(failed_with(pair->client.read(buffer), NetError::connection_lost));
}

TEST_F(Tls, RefusesEachBadCertificateWithItsReason) {
    MITRAL_PROVES("T-MITM-01", "T-MITM-02", "CR 1.8", "CR 1.9");
    EXPECT_TRUE(ok(attempt({})));  // the control: the same path accepts a good one
    EXPECT_TRUE(failed_with(attempt({.dns_name = "evil.example"}), NetError::name_mismatch));
    EXPECT_TRUE(failed_with(attempt({.valid_from_days = -30, .valid_until_days = -1}),
                            NetError::certificate_expired));
    EXPECT_TRUE(failed_with(attempt({.valid_from_days = 1}), NetError::certificate_not_yet_valid));
}

TEST_F(Tls, RefusesAnUnpinnedAuthorityAndASelfSignedServer) {
    MITRAL_PROVES("T-MITM-01", "CR 1.8");
    const test::CertificateAuthority other("Somebody Else");
    other.issue({}, directory.path("o.pem"), directory.path("o.key"));
    auto foreign = connected(
        client_options(),
        {directory.path("o.pem"), directory.path("o.key"), TlsVersion::tls12, false}, "localhost");
    EXPECT_TRUE(failed_with(shake_hands(foreign), NetError::untrusted_issuer));
    test::write_self_signed({}, directory.path("s.pem"), directory.path("s.key"));
    auto lone = connected(
        client_options(),
        {directory.path("s.pem"), directory.path("s.key"), TlsVersion::tls12, false}, "localhost");
    EXPECT_TRUE(failed_with(shake_hands(lone), NetError::self_signed));
}

TEST_F(Tls, AcceptsEachOfSeveralPinnedRoots) {
    const test::CertificateAuthority next("Next Root");
    next.write_certificate(directory.path("next.pem"));
    next.issue({}, directory.path("n.pem"), directory.path("n.key"));
    TlsClientOptions both = client_options();
    both.root_files.push_back(directory.path("next.pem"));
    auto old_server = connected(both, issue({}), "localhost");
    EXPECT_TRUE(ok(shake_hands(old_server)));
    auto new_server = connected(
        both, {directory.path("n.pem"), directory.path("n.key"), TlsVersion::tls12, false},
        "localhost");
    EXPECT_TRUE(ok(shake_hands(new_server)));
}

TEST_F(Tls, MatchesAddressesAgainstAddressEntriesOnly) {
    EXPECT_TRUE(ok(attempt({.ip_address = "127.0.0.1"}, "127.0.0.1")));
    EXPECT_TRUE(
        failed_with(attempt({.dns_name = "127.0.0.1"}, "127.0.0.1"), NetError::name_mismatch));
}

// Servers below the floor are played by OpenSSL's own s_server in tests/attacks.
TEST_F(Tls, CanInsistOnVersion13) {
    TlsClientOptions strict = client_options();
    strict.minimum = TlsVersion::tls13;
    auto pair = connected(strict, issue({}), "localhost");
    ASSERT_TRUE(ok(shake_hands(pair)));
    EXPECT_EQ(pair.client.version(), "TLSv1.3");
}

TEST_F(Tls, NeedsAPinnedRoot) {
    EXPECT_TRUE(failed_with(TlsContext::client({{}, {}, TlsVersion::tls12, "", ""}),
                            NetError::trust_store));
    EXPECT_TRUE(failed_with(
        TlsContext::client({{directory.path("none.pem")}, {}, TlsVersion::tls12, "", ""}),
        NetError::trust_store));
    ASSERT_TRUE(ok(base::replace_file(directory.path("empty.pem"), {}, 0600)));
    EXPECT_TRUE(failed_with(
        TlsContext::client({{directory.path("empty.pem")}, {}, TlsVersion::tls12, "", ""}),
        NetError::trust_store));
}

TEST_F(Tls, HandsTheClientsCertificateToTheApplication) {
    authority.issue({.dns_name = "dev-01"}, directory.path("c.pem"), directory.path("c.key"));
    auto server = issue({});
    server.request_client_certificate = true;
    TlsClientOptions client = client_options();
    client.certificate_file = directory.path("c.pem");
    client.key_file = directory.path("c.key");
    auto with = connected(client, server, "localhost");
    ASSERT_TRUE(ok(shake_hands(with)));
    EXPECT_FALSE(with.server.peer_certificate().empty());
    auto without = connected(client_options(), server, "localhost");
    ASSERT_TRUE(ok(shake_hands(without)));
    EXPECT_TRUE(without.server.peer_certificate().empty());
}

}  // namespace
}  // namespace mitral::net
