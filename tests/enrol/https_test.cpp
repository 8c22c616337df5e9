// The real HTTPS client against servers that misbehave, and against servers that are not who they
// claim.
#include "enrol/https.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <future>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "enrol/errors.hpp"
#include "enrol/tls_server.hpp"
#include "net/error.hpp"
#include "support/certificates.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::enrol {
namespace {

using net::NetError;
using test::failed_with;
using test::ok;
using test::TlsServer;

constexpr const char* fine =
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nRetry-After: 3\r\nContent-Length: "
    "2\r\n"
    "Connection: close\r\n\r\n{}";

class HttpsClient : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);
        authority.write_certificate(directory.path("root.pem"));
        roots = *base::read_text_file(directory.path("root.pem"), 65'536);
    }

    test::TlsServerSetup issued(const test::CertificateRequest& request = {}) const {
        authority.issue(request, directory.path("server.pem"), directory.path("server.key"));
        return {directory.path("server.pem"), directory.path("server.key"), 0, ""};
    }
    static test::Responder says(std::string response) {
        return [text = std::move(response)](const std::string&) { return text; };
    }
    HttpsOptions options(std::uint16_t port) const {
        HttpsOptions made;
        made.server = {"localhost", port};
        made.roots_pem = roots;
        made.connect_timeout = base::Milliseconds(2000);
        made.timeout = base::Milliseconds(3000);
        made.user_agent = "mitral-enrol/test";
        return made;
    }
    base::Result<HttpResponse> get(const HttpsOptions& with) const {
        MITRAL_TRY(const auto https, make_https(with));
        HttpRequest request;
        request.path = "/x?y=1";
        request.authorization = &token;
        return https->perform(request);
    }
    base::Result<HttpResponse> get_from(const test::TlsServerSetup& setup,
                                        std::string response = fine) const {
        const TlsServer server(setup, says(std::move(response)));
        return get(options(server.port()));
    }

    test::TemporaryDirectory directory;
    test::CertificateAuthority authority{"test root"};
    std::string roots;
    base::Secret token{base::as_bytes("SharedAccessSignature sr=x")};
};

TEST_F(HttpsClient, SendsWhatItIsToldAndReadsTheAnswer) {
    const TlsServer server(issued(), says(fine));
    const auto response = get(options(server.port()));
    ASSERT_TRUE(ok(response));
    EXPECT_EQ(202, response->status);
    EXPECT_EQ("{}", response->body);
    EXPECT_EQ("3", response->retry_after);
    const auto head = server.heads().at(0);
    EXPECT_THAT(head, testing::StartsWith("GET /x?y=1 HTTP/1.1\r\n"));
    EXPECT_THAT(head, testing::HasSubstr("\r\nAuthorization: SharedAccessSignature sr=x\r\n"));
    EXPECT_THAT(head, testing::Not(testing::HasSubstr("Accept-Encoding")));
    EXPECT_THAT(head, testing::Not(testing::HasSubstr("Cookie")));
}

TEST_F(HttpsClient, PutsABody) {
    const TlsServer server(issued(), says(fine));
    const auto https = make_https(options(server.port()));
    ASSERT_TRUE(ok(https));
    const HttpRequest request{HttpRequest::Method::put, "/r", &token, R"({"a":1})"};
    ASSERT_TRUE(ok((*https)->perform(request)));
    const auto head = server.heads().at(0);
    EXPECT_THAT(head, testing::StartsWith("PUT /r HTTP/1.1\r\n"));
    EXPECT_THAT(head, testing::HasSubstr("Content-Length: 7\r\n"));
    EXPECT_THAT(head, testing::Not(testing::HasSubstr("Expect:")));
}

// Accepts one connection, reads what comes first, and ends it: with RST or with FIN.
void end_in_the_handshake(int listener, bool reset) {
    const base::UniqueFd client(::accept(listener, nullptr, nullptr));
    std::array<char, 65'536> hello{};
    (void)::recv(client.get(), hello.data(), hello.size(), 0);
    const linger at_once{.l_onoff = reset ? 1 : 0, .l_linger = 0};
    (void)::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

TEST_F(HttpsClient, AConnectionLostInTheHandshakeIsWorthAnotherTry) {
    MITRAL_PROVES("T-DOS-03");
    for (const bool reset : {true, false}) {
        const base::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(at);
        ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), size), 0);
        ASSERT_EQ(::listen(listener.get(), 1), 0);
        ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
        const auto peer =
            std::async(std::launch::async, end_in_the_handshake, listener.get(), reset);
        const auto response = get(options(ntohs(at.sin_port)));
        EXPECT_TRUE(failed_with(response, NetError::connection_lost)) << reset;
        EXPECT_TRUE(is_temporary(response.error().code));
    }
    // The control: a server that refuses the handshake in words stays refused.
    auto old = issued();
    old.maximum_version = TLS1_1_VERSION;
    EXPECT_FALSE(is_temporary(get_from(old).error().code));
}

TEST_F(HttpsClient, RefusesEveryCertificateButThePinnedOnes) {
    MITRAL_PROVES("T-MITM-01");
    const test::CertificateAuthority other("another root");
    test::TlsServerSetup setup{directory.path("o.pem"), directory.path("o.key"), 0, ""};
    other.issue({}, setup.certificate_file, setup.key_file);
    EXPECT_TRUE(failed_with(get_from(setup), NetError::untrusted_issuer));
    test::write_self_signed({}, setup.certificate_file, setup.key_file);
    EXPECT_TRUE(failed_with(get_from(setup), NetError::self_signed));
    EXPECT_TRUE(ok(get_from(issued())));  // the same server with a good certificate
}

TEST_F(HttpsClient, NeverReadsTheMachinesOwnTrustStore) {
    MITRAL_PROVES("T-MITM-01");
    authority.write_certificate(directory.path("env.pem"));
    ASSERT_EQ(0, setenv("SSL_CERT_FILE", directory.path("env.pem").c_str(), 1));
    ASSERT_EQ(0, setenv("CURL_CA_BUNDLE", directory.path("env.pem").c_str(), 1));
    const test::CertificateAuthority other("pinned instead");
    other.write_certificate(directory.path("pinned.pem"));
    const TlsServer server(issued(), says(fine));
    auto with = options(server.port());
    with.roots_pem = *base::read_text_file(directory.path("pinned.pem"), 65'536);
    EXPECT_TRUE(failed_with(get(with), NetError::untrusted_issuer));
    unsetenv("SSL_CERT_FILE");
    unsetenv("CURL_CA_BUNDLE");
}

TEST_F(HttpsClient, RefusesWrongNamesAndTimes) {
    MITRAL_PROVES("T-MITM-02");
    EXPECT_TRUE(
        failed_with(get_from(issued({.dns_name = "other.example"})), NetError::name_mismatch));
    EXPECT_TRUE(failed_with(get_from(issued({.valid_from_days = -10, .valid_until_days = -1})),
                            NetError::certificate_expired));
    EXPECT_TRUE(failed_with(get_from(issued({.valid_from_days = 2, .valid_until_days = 10})),
                            NetError::certificate_not_yet_valid));
}

TEST_F(HttpsClient, RefusesOldVersionsAndWeakSuites) {
    MITRAL_PROVES("T-MITM-03");
    auto setup = issued();
    setup.maximum_version = TLS1_1_VERSION;
    EXPECT_TRUE(failed_with(get_from(setup), NetError::protocol_version));
    setup.maximum_version = TLS1_2_VERSION;
    setup.tls12_suites = "ECDHE-ECDSA-AES128-SHA256";  // CBC
    EXPECT_TRUE(failed_with(get_from(setup), NetError::no_shared_cipher));
    setup.tls12_suites = "ECDHE-ECDSA-AES128-GCM-SHA256";
    EXPECT_TRUE(ok(get_from(setup)));
}

TEST_F(HttpsClient, ARaisedFloorRefusesTls12) {
    MITRAL_PROVES("T-MITM-03");
    auto setup = issued();
    const TlsServer newest(setup, says(fine));
    setup.maximum_version = TLS1_2_VERSION;
    const TlsServer older(setup, says(fine));
    auto with = options(older.port());
    EXPECT_TRUE(ok(get(with)));
    with.minimum_tls = net::TlsVersion::tls13;
    EXPECT_TRUE(failed_with(get(with), NetError::protocol_version));
    with.server.port = newest.port();
    EXPECT_TRUE(ok(get(with)));
}

TEST_F(HttpsClient, DoesNotFollowRedirects) {
    MITRAL_PROVES("T-MITM-04", "T-SW-03");
    const TlsServer second(issued(), says(fine));
    const TlsServer first(issued(),
                          says("HTTP/1.1 307 Moved\r\nLocation: https://localhost:" +
                               std::to_string(second.port()) + "/\r\nContent-Length: 0\r\n\r\n"));
    const auto response = get(options(first.port()));
    ASSERT_TRUE(ok(response));
    EXPECT_EQ(307, response->status);
    EXPECT_TRUE(second.heads().empty());
}

TEST_F(HttpsClient, StopsReadingAtTheBound) {
    MITRAL_PROVES("T-SW-03");
    const std::string huge(200'000, 'x');
    EXPECT_TRUE(
        failed_with(get_from(issued(), "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + huge),
                    base::BaseError::too_large));
    EXPECT_TRUE(failed_with(
        get_from(issued(), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n" + huge +
                               "\r\n0\r\n\r\n"),
        base::BaseError::too_large));
    std::string headers;
    for (int i = 0; i < 1000; ++i)
        headers += "X-" + std::to_string(i) + ": " + std::string(60, 'a') + "\r\n";
    EXPECT_TRUE(failed_with(get_from(issued(), "HTTP/1.1 200 OK\r\n" + headers + "\r\n"),
                            base::BaseError::too_large));
}

TEST_F(HttpsClient, SurvivesNonsense) {
    MITRAL_PROVES("T-SW-03");
    EXPECT_TRUE(failed_with(get_from(issued(), ""), NetError::connection_lost));
    EXPECT_TRUE(
        failed_with(get_from(issued(), "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
                    NetError::connection_lost));
    EXPECT_FALSE(get_from(issued(), std::string(1000, '\0')));
    EXPECT_FALSE(get_from(issued(), "SSH-2.0-nonsense\r\n"));
    EXPECT_FALSE(get_from(issued(), "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"));
}

TEST_F(HttpsClient, ASlowServerCostsNoMoreThanTheTimeout) {
    MITRAL_PROVES("T-DOS-04", "T-SW-03");
    std::promise<void> done;
    const TlsServer server(issued(), [wait = done.get_future().share()](const std::string&) {
        wait.wait_for(std::chrono::seconds(20));
        return std::string();
    });
    auto with = options(server.port());
    with.timeout = base::Milliseconds(300);
    const auto started = std::chrono::steady_clock::now();
    EXPECT_TRUE(failed_with(get(with), base::BaseError::timed_out));
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
    done.set_value();
}

TEST_F(HttpsClient, NamesAnUnreachableServerAndAnUnknownName) {
    std::uint16_t closed = 0;
    {
        const TlsServer server(issued(), says(fine));
        closed = server.port();
    }
    EXPECT_TRUE(failed_with(get(options(closed)), NetError::unreachable));
    auto with = options(443);
    with.server.host = "no-such-host.invalid";
    EXPECT_TRUE(failed_with(get(with), NetError::name_not_resolved));
}

TEST_F(HttpsClient, IgnoresTheProxyOfTheEnvironment) {
    MITRAL_PROVES("T-MITM-05");
    ASSERT_EQ(0, setenv("https_proxy", "http://127.0.0.1:1", 1));
    EXPECT_TRUE(ok(get_from(issued())));
    unsetenv("https_proxy");
}

TEST_F(HttpsClient, WithoutAUsableRootNothingIsTrusted) {
    MITRAL_PROVES("T-MITM-01");
    const TlsServer server(issued(), says(fine));
    auto with = options(server.port());
    with.roots_pem = "not a certificate";
    EXPECT_FALSE(get(with));
    with.roots_pem.clear();
    EXPECT_FALSE(get(with));
}

}  // namespace
}  // namespace mitral::enrol
