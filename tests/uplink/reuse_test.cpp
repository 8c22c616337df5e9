// How many tokens the uplink asks for when the hub is out of reach: each wears the trust zone.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "base/errors.hpp"
#include "net/connect.hpp"
#include "support/certificates.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"
#include "uplink/renewal.hpp"
#include "uplink/uplink.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

namespace mitral::uplink {
namespace {

using base::Milliseconds;

class CountingVault final : public vault::Client {
  public:
    CountingVault(int& mints, const base::Clock& clock) : mints_(mints), clock_(clock) {}
    base::Result<vault::Token> mint(const vault::HubTokenRequest& request) override {
        ++mints_;
        return vault::Token{base::Secret(base::as_bytes("SharedAccessSignature none")),
                            clock_.wall().unix_seconds() + request.lifetime.count()};
    }
    base::Result<vault::Token> mint(const vault::RegistrationTokenRequest&) override {
        return refuse();
    }
    base::Result<vault::DataKey> new_data_key() override { return refuse(); }
    base::Result<base::Secret> open_data_key(base::ByteView) override { return refuse(); }
    base::Result<vault::Pseudonym> pseudonym(const vault::Patient&) override { return refuse(); }
    base::Result<vault::VaultStatus> status() override { return refuse(); }
    base::Result<base::Bytes> begin_provisioning() override { return refuse(); }
    base::Status execute(base::ByteView) override { return refuse(); }

  private:
    static std::unexpected<base::Error> refuse() {
        return base::fail(base::BaseError::not_supported, "not in this test");
    }
    int& mints_;
    const base::Clock& clock_;
};

// What stands at the hub's address; every connection ends before anything is acknowledged.
enum class Hub { away, no_tls, hangs_up_after_connect };

class TokenReuse : public ::testing::Test {
  protected:
    void SetUp() override {
        (void)std::signal(SIGPIPE, SIG_IGN);  // as harden_process() does
        test::CertificateAuthority authority("Root");
        authority.write_certificate(directory.path("root.pem"));
        authority.issue({}, directory.path("hub.pem"), directory.path("hub.key"));
        std::ofstream(directory.path("assignment.json"))
            << R"({"hub":"localhost:)" << port() << R"(","device_id":"unit-1"})";
        settings.assignment_file = directory.path("assignment.json");
        settings.state = directory.path("");
        settings.status_file = directory.path("status.json");
        settings.hub_port = port();
        settings.reconnect.first = settings.reconnect.ceiling = Milliseconds(1);
    }

    [[nodiscard]] std::uint16_t port() const {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        EXPECT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        return ntohs(address.sin_port);
    }

    void take_connection(Hub hub) {
        base::UniqueFd fd(
            ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (hub == Hub::no_tls || !fd.valid())
            return;
        const int number = fd.get();
        streams.insert_or_assign(number, *server->accept(std::move(fd)));
        ASSERT_TRUE(loop->watch(number, base::EventLoop::readable,
                                [this, number](std::uint32_t) { serve(number); }));
    }

    void serve(int fd) {
        auto& stream = streams.at(fd);
        const auto step = stream.handshake();
        base::Bytes buffer(4096);
        if (step && step->kind != net::IoOutcome::Kind::done)
            return;
        const auto got = stream.read(buffer);
        if (got && got->kind == net::IoOutcome::Kind::want_read)
            return;
        connects += got && got->kind == net::IoOutcome::Kind::done;
        loop->unwatch(fd);
        streams.erase(fd);
    }

    // Until the uplink failed `attempts` times more.
    void fail(std::uint64_t attempts) {
        const auto goal = uplink->report().failures + attempts;
        for (int pass = 0; pass < 20'000 && uplink->report().failures < goal; ++pass)
            ASSERT_TRUE(loop->run_once(Milliseconds(100)));
        ASSERT_GE(uplink->report().failures, goal);
    }

    void start(Hub hub) {
        auto context = net::TlsContext::client({{directory.path("root.pem")}, {}, {}, "", ""});
        ASSERT_TRUE(context);
        if (hub != Hub::away) {
            server = *net::TlsContext::server(
                {directory.path("hub.pem"), directory.path("hub.key"), {}, false});
            ASSERT_EQ(::listen(listener.get(), 16), 0);
            ASSERT_TRUE(loop->watch(listener.get(), base::EventLoop::readable,
                                    [this, hub](std::uint32_t) { take_connection(hub); }));
        }
        uplink = std::make_unique<Uplink>(
            settings, Uplink::Parts{*loop, clock, vault, std::move(*context), [] { return 0U; }});
        uplink->start();
    }

    static base::UniqueFd bound() {
        base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        return fd;
    }

    test::TemporaryDirectory directory;
    base::UniqueFd listener = bound();  // taken; whether it listens is the test's choice
    base::ManualClock clock{base::WallTime{1'780'000'000'000}};
    std::unique_ptr<base::EventLoop> loop = std::move(*base::EventLoop::create());
    int mints = 0;
    int connects = 0;
    VaultSession vault{[this]() -> base::Result<std::unique_ptr<vault::Client>> {
        return std::make_unique<CountingVault>(mints, clock);
    }};
    Settings settings;
    std::optional<net::TlsContext> server;
    std::map<int, net::TlsStream> streams;
    std::unique_ptr<Uplink> uplink;
};

TEST_F(TokenReuse, AHubThatIsAwayCostsOneToken) {
    MITRAL_PROVES("T-DOS-04", "T-TOK-04");
    start(Hub::away);
    fail(50);
    EXPECT_EQ(mints, 1);
    clock.advance(settings.token_lifetime / 2 - base::Seconds(2));
    fail(50);
    EXPECT_EQ(mints, 1);
    clock.advance(base::Seconds(3));  // less than half is left: the next one
    fail(50);
    EXPECT_EQ(mints, 2);
}

TEST_F(TokenReuse, AHubWithoutTlsCostsOneToken) {
    MITRAL_PROVES("T-DOS-04", "T-MITM-01");
    start(Hub::no_tls);
    fail(50);
    EXPECT_EQ(mints, 1);
    EXPECT_EQ(connects, 0);
}

// Negative control: what a hub has seen is not used for a second connection.
TEST_F(TokenReuse, ATokenThatWasSentIsNotUsedAgain) {
    MITRAL_PROVES("T-TOK-01");
    start(Hub::hangs_up_after_connect);
    fail(10);
    EXPECT_GE(connects, 10);
    EXPECT_GE(mints, 10);
    EXPECT_LE(mints, connects + 1);
}

TEST_F(TokenReuse, AClockThatWasSetEndsTheReuse) {
    MITRAL_PROVES("T-TIME-01");
    start(Hub::away);
    fail(5);
    clock.step_wall(base::WallTime{clock.wall().ms + 3'000'000});  // the hub would refuse it soon
    fail(5);
    EXPECT_EQ(mints, 2);
}

TEST(Renewal, HalfALifeIsTheLeast) {
    const base::WallTime now{1'000'000};
    EXPECT_TRUE(has_half_its_life(base::Seconds(100), base::Seconds(0), 1100, now));
    EXPECT_TRUE(has_half_its_life(base::Seconds(100), base::Seconds(49), 1051, now));
    EXPECT_FALSE(has_half_its_life(base::Seconds(100), base::Seconds(50), 1100, now));
    EXPECT_FALSE(has_half_its_life(base::Seconds(100), base::Seconds(0), 1050, now));
    EXPECT_FALSE(has_half_its_life(base::Seconds(100), base::Seconds(0), 900, now));
}

}  // namespace
}  // namespace mitral::uplink
