#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>

#include "net/tls.hpp"
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

// A server that asks monitors for a certificate of its ward.
class ClientCertificate : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);
        gateway.write_certificate(directory.path("gateway.pem"));
        ward.write_certificate(directory.path("ward.pem"));
        gateway.issue({}, directory.path("server.pem"), directory.path("server.key"));
        server_options = {directory.path("server.pem"),
                          directory.path("server.key"),
                          TlsVersion::tls12,
                          false,
                          {directory.path("ward.pem")}};
        client_options = {{directory.path("gateway.pem")}, {}, TlsVersion::tls12, "", ""};
    }

    void show(const test::CertificateAuthority& issuer, const CertificateRequest& request) {
        client_options.certificate_file = directory.path("client.pem");
        client_options.key_file = directory.path("client.key");
        issuer.issue(request, client_options.certificate_file, client_options.key_file);
    }

    // The server's verdict.
    Result<std::vector<std::string>> attempt() {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        auto client = TlsContext::client(client_options)->connect(UniqueFd(ends[0]), "localhost");
        auto server = TlsContext::server(server_options)->accept(UniqueFd(ends[1]));
        for (int step = 0; step < 20; ++step) {
            (void)client->handshake();
            MITRAL_TRY(const auto outcome, server->handshake());
            if (outcome.kind == IoOutcome::Kind::done)
                return server->peer_names();
        }
        return base::fail(NetError::handshake_failed, "no end");
    }

    test::TemporaryDirectory directory;
    test::CertificateAuthority gateway{"Gateway Authority"};
    test::CertificateAuthority ward{"Ward 1 Authority"};
    test::CertificateAuthority other_ward{"Ward 2 Authority"};
    TlsServerOptions server_options;
    TlsClientOptions client_options;
};

TEST_F(ClientCertificate, OfTheWardIsTakenAndNamed) {
    show(ward, {.dns_name = "monitor-17.icu"});
    EXPECT_EQ(attempt().value(), std::vector<std::string>{"monitor-17.icu"});
    server_options.minimum = TlsVersion::tls13;
    EXPECT_TRUE(ok(attempt()));
}

TEST_F(ClientCertificate, IsRefusedWithItsReason) {
    MITRAL_PROVES("T-MITM-01", "CR 1.2", "CR 1.8", "CR 1.9");
    EXPECT_TRUE(failed_with(attempt(), NetError::no_certificate));
    show(other_ward, {});
    EXPECT_TRUE(failed_with(attempt(), NetError::untrusted_issuer));
    show(ward, {.valid_from_days = -30, .valid_until_days = -1});
    EXPECT_TRUE(failed_with(attempt(), NetError::certificate_expired));
    show(ward, {.valid_from_days = 1});
    EXPECT_TRUE(failed_with(attempt(), NetError::certificate_not_yet_valid));
    test::write_self_signed({}, client_options.certificate_file, client_options.key_file);
    EXPECT_TRUE(failed_with(attempt(), NetError::self_signed));
}

// The control: without the requirement the same clients come in.
TEST_F(ClientCertificate, IsNotAskedForWithoutRoots) {
    server_options.client_roots.clear();
    EXPECT_EQ(attempt().value(), std::vector<std::string>{});
    show(other_ward, {.valid_from_days = -30, .valid_until_days = -1});
    EXPECT_TRUE(ok(attempt()));
}

TEST_F(ClientCertificate, MayComeFromOneOfSeveralWards) {
    other_ward.write_certificate(directory.path("other.pem"));
    server_options.client_roots.push_back(directory.path("other.pem"));
    show(other_ward, {.dns_name = "monitor-3.ward-2"});
    EXPECT_TRUE(ok(attempt()));
    show(ward, {});
    EXPECT_TRUE(ok(attempt()));
}

TEST_F(ClientCertificate, RootsThatCannotBeReadAreAnError) {
    server_options.client_roots = {directory.path("absent.pem")};
    EXPECT_TRUE(failed_with(TlsContext::server(server_options), NetError::trust_store));
    server_options.client_roots = {directory.path("client.key")};
    show(ward, {});
    EXPECT_TRUE(failed_with(TlsContext::server(server_options), NetError::trust_store));
}

}  // namespace
}  // namespace mitral::net
