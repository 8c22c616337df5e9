// The carrier between a time authority and the trust zone, against a peer that is right, wrong,
// slow or flooding.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "support/proves.hpp"
#include "timed/fetch.hpp"
#include "timed/settings.hpp"
#include "vault/errors.hpp"

namespace mitral::test {
namespace {

using base::Bytes;
using timed::Transport;

constexpr base::Milliseconds long_enough{20'000};
constexpr base::Milliseconds soon{100};

// A vault that waits for one answer.
class FakeVault final : public vault::TimeClient {
  public:
    base::Result<Bytes> begin_time() override {
        if (nobody_to_ask)
            return base::fail(vault::VaultError::not_listed, "no authority");
        return Bytes(1024, 'q');
    }
    base::Result<std::int64_t> take_time(base::ByteView answer) override {
        ++seen;
        if (!std::equal(answer.begin(), answer.end(), good.begin(), good.end()))
            return base::fail(vault::VaultError::time_refused, "not this one");
        return 1'780'000'000;
    }
    bool nobody_to_ask = false;
    int seen = 0;
    Bytes good;
};

Bytes packet(std::size_t size, std::uint8_t fill) {
    Bytes out = base::to_bytes("ROUGHTIM");
    for (int i = 0; i < 4; ++i)
        out.push_back(static_cast<std::uint8_t>((size - 12) >> (8 * i)));
    out.resize(size, fill);
    return out;
}

// A socket on loopback that answers the first question with these datagrams or bytes.
class Peer {
  public:
    Peer(Transport transport, std::vector<Bytes> answers)
        : transport_(transport),
          answers_(std::move(answers)),
          socket_(::socket(AF_INET, transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        if (transport == Transport::tcp) {
            EXPECT_EQ(::listen(socket_.get(), 1), 0);
        }
        server.endpoint = {"127.0.0.1", ntohs(address.sin_port)};
        server.transport = transport;
        thread_ = std::thread([this] { transport_ == Transport::udp ? serve_udp() : serve_tcp(); });
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { thread_.join(); }

    timed::Server server;
    std::atomic<std::size_t> asked = 0;

  private:
    void serve_udp() {
        Bytes question(4096);
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        const auto got = ::recvfrom(socket_.get(), question.data(), question.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &size);
        asked = static_cast<std::size_t>(got);
        for (const auto& answer : answers_)
            (void)::sendto(socket_.get(), answer.data(), answer.size(), 0,
                           reinterpret_cast<sockaddr*>(&from), size);
    }
    void serve_tcp() {
        const base::UniqueFd stream(::accept(socket_.get(), nullptr, nullptr));
        Bytes question(1024);
        asked = static_cast<std::size_t>(
            ::recv(stream.get(), question.data(), question.size(), MSG_WAITALL));
        for (const auto& answer : answers_)
            (void)::send(stream.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }

    Transport transport_;
    std::vector<Bytes> answers_;
    base::UniqueFd socket_;
    std::thread thread_;
};

class Exchange : public ::testing::Test {
  protected:
    Exchange() { vault.good = packet(500, 7); }
    FakeVault vault;
};

TEST_F(Exchange, CarriesQuestionAndAnswerOverBothTransports) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        Peer peer(transport, {vault.good});
        const auto taken = timed::fetch(vault, peer.server, long_enough);
        ASSERT_TRUE(taken) << taken.error().message();
        EXPECT_EQ(*taken, 1'780'000'000);
        EXPECT_EQ(peer.asked, 1024U);
    }
}

TEST_F(Exchange, AStrangersDatagramsDoNotSpoilTheAnswer) {
    MITRAL_PROVES("T-TIME-01");
    Peer peer(Transport::udp, {packet(500, 1), {}, Bytes(3000, 2), Bytes{1}, vault.good});
    EXPECT_TRUE(timed::fetch(vault, peer.server, long_enough));
    EXPECT_EQ(vault.seen, 3);  // the empty and the oversized one are not even shown
}

TEST_F(Exchange, AFloodEndsTheQuestion) {
    MITRAL_PROVES("T-DOS-04");
    Peer peer(Transport::udp, std::vector<Bytes>(timed::max_datagrams + 3, packet(500, 1)));
    const auto taken = timed::fetch(vault, peer.server, long_enough);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, vault::VaultError::time_refused);
    EXPECT_EQ(vault.seen, timed::max_datagrams);
}

TEST_F(Exchange, SilenceIsATimeout) {
    Peer peer(Transport::udp, {});
    const auto taken = timed::fetch(vault, peer.server, soon);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, std::errc::timed_out);
}

TEST_F(Exchange, OverTcpALongOrACutAnswerIsRefused) {
    MITRAL_PROVES("T-SW-05");
    auto endless = packet(500, 7);
    endless[10] = 0xff;
    for (const auto& answer :
         {endless, Bytes(vault.good.begin(), vault.good.end() - 1), Bytes(5)}) {
        Peer peer(Transport::tcp, {answer});
        EXPECT_FALSE(timed::fetch(vault, peer.server, long_enough));
    }
    EXPECT_EQ(vault.seen, 0);
}

TEST_F(Exchange, WithoutAnAuthorityNobodyIsAsked) {
    vault.nobody_to_ask = true;
    const auto taken = timed::fetch(vault, {{"127.0.0.1", 1}, Transport::udp}, soon);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, vault::VaultError::not_listed);
}

base::Result<timed::Settings> settings_of(const std::string& text) {
    MITRAL_TRY(const auto config, base::Config::parse("[timed]\n" + text, "test"));
    return timed::read_settings(config.table("timed"));
}

TEST(TimedSettings, HaveDefaultsAndBounds) {
    const auto settings = settings_of("server = \"time.example\"");
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->server.endpoint.host, "time.example");
    EXPECT_EQ(settings->server.endpoint.port, 2002);
    EXPECT_EQ(settings->server.transport, Transport::udp);
    EXPECT_EQ(settings->interval, base::Seconds(3600));
    for (const char* wrong : {"", "server = \"a\"\ntransport = \"sctp\"",
                              "server = \"a\"\ninterval_s = 59", "server = \"a\"\nport = 1"})
        EXPECT_FALSE(settings_of(wrong)) << wrong;
}

}  // namespace
}  // namespace mitral::test
