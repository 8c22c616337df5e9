#include "intake/hl7/server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>

#include "intake/hl7/reports.hpp"
#include "intake/store/fake_writer.hpp"
#include "net/connect.hpp"
#include "support/proves.hpp"

namespace mitral::intake::hl7 {
namespace {

using base::UniqueFd;

Monitors anybody_on_loopback() {
    Monitor monitor;
    monitor.sender.source = "icu-1";
    monitor.network = net::Network::parse("127.0.0.0/8").value();
    return Monitors({monitor});
}

class Hl7ServerTest : public ::testing::Test {
  protected:
    void start(ServerLimits limits = {}) {
        server.emplace(*loop, writer, clock, limits, monitors, interpreter);
        auto socket = net::listen_tcp({"127.0.0.1", 0}).value();
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ASSERT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port = ntohs(address.sin_port);
        ASSERT_TRUE(server->listen({std::move(socket), nullptr}));
    }
    UniqueFd connect() const { return net::start_connect({"127.0.0.1", port}).value(); }

    UniqueFd connect_from(const char* source) const {
        UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in from{};
        from.sin_family = AF_INET;
        auto to = from;
        to.sin_port = htons(port);
        EXPECT_EQ(inet_pton(AF_INET, source, &from.sin_addr), 1);
        EXPECT_EQ(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
        return fd;
    }

    static std::string report(std::string_view id) {
        std::string text(report_header);
        text.replace(text.find("|42|"), 4, "|" + std::string(id) + "|");
        text.append(report_order)
            .append(
                "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC\r");
        return "\x0B" + text + "\x1C\r";
    }
    static void send(const UniqueFd& fd, std::string_view bytes) {
        ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    // What has arrived; "<closed>" at the end of the stream.
    static std::string receive(const UniqueFd& fd) {
        std::string text;
        std::array<char, 65536> buffer;
        for (;;) {
            const auto count = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (count == 0 || (count < 0 && errno == ECONNRESET))
                return text + "<closed>";
            if (count < 0)
                return text;
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    bool turn_until(const std::function<bool()>& reached) {
        for (int i = 0; i < 2000 && !reached(); ++i)
            (void)loop->run_once(base::Milliseconds(5));
        return reached();
    }
    bool hears(const UniqueFd& fd, std::string_view text) {
        std::string heard;
        return turn_until([&] { return (heard += receive(fd)).contains(text); });
    }

    std::unique_ptr<base::EventLoop> loop = base::EventLoop::create().value();
    base::SystemClock clock;
    test::FakeWriter writer;
    Monitors monitors = anybody_on_loopback();
    Interpreter interpreter;
    std::uint16_t port = 0;
    std::optional<Server> server;
};

TEST_F(Hl7ServerTest, OneCommitServesAllWhoAreReady) {
    start();
    std::vector<UniqueFd> peers(8);
    for (auto& peer : peers)
        peer = connect();
    ASSERT_TRUE(turn_until([&] { return server->open_connections() == peers.size(); }));
    for (std::size_t i = 0; i < peers.size(); ++i)
        send(peers[i], report(std::to_string(i)));
    for (std::size_t i = 0; i < peers.size(); ++i)
        EXPECT_TRUE(hears(peers[i], "MSA|AA|" + std::to_string(i)));
    EXPECT_EQ(writer.commits, 1);
}

TEST_F(Hl7ServerTest, AFailedCommitIsTold) {
    MITRAL_PROVES("T-DATA-01");
    start();
    writer.fail_commits = true;
    const auto peer = connect();
    send(peer, report("1"));
    EXPECT_TRUE(hears(peer, "MSA|AE|1|"));
    writer.fail_commits = false;
    send(peer, report("1"));
    EXPECT_TRUE(hears(peer, "MSA|AA|1"));
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(Hl7ServerTest, WhoDoesNotReadItsAnswersIsCutOff) {
    MITRAL_PROVES("T-DOS-01", "T-DOS-04", "T-MON-03");
    ServerLimits limits;
    limits.unread_replies = 1000;
    limits.messages_per_s = 100'000;
    start(limits);
    const auto deaf = connect();
    const int small = 4096;
    ASSERT_EQ(setsockopt(deaf.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    ASSERT_TRUE(turn_until([&] { return server->open_connections() == 1; }));
    int sent = 0;
    EXPECT_TRUE(turn_until([&] {
        const auto text = report(std::to_string(sent));
        if (::send(deaf.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            ++sent;
        (void)loop->run_once(base::Milliseconds(0));
        for (int i = 0; i < 100; ++i, ++sent) {
            const auto more = report(std::to_string(sent));
            if (::send(deaf.get(), more.data(), more.size(), MSG_NOSIGNAL | MSG_DONTWAIT) <= 0)
                break;
        }
        return server->open_connections() == 0;
    }));
    EXPECT_EQ(server->counters().rejected, 1U);
}

TEST_F(Hl7ServerTest, UnfinishedMessagesCannotUseUpTheMemory) {
    MITRAL_PROVES("T-DOS-01", "T-MON-03");
    ServerLimits limits;
    limits.unfinished_bytes = 1024 * 1024;
    start(limits);
    const auto calm = connect();
    const auto greedy = connect();
    send(calm, report("1"));
    EXPECT_TRUE(hears(calm, "MSA|AA|1"));
    std::string piece(16 * 1024, 'x');
    piece[0] = '\x0B';
    std::size_t sent = 0;
    EXPECT_TRUE(turn_until([&] {
        const auto count =
            ::send(greedy.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += count > 0 ? static_cast<std::size_t>(count) : 0;
        piece[0] = 'x';
        return server->open_connections() == 1;
    }));
    EXPECT_LT(sent, 8U << 20);
    send(calm, report("2"));
    EXPECT_TRUE(hears(calm, "MSA|AA|2"));
}

TEST_F(Hl7ServerTest, WhatEveryConnectionKeepsCountsAsNothing) {
    ServerLimits limits;
    limits.unfinished_bytes = 64 * 1024;
    start(limits);
    std::vector<UniqueFd> peers(8);
    for (auto& peer : peers) {
        peer = connect();
        send(peer, report("1"));
        EXPECT_TRUE(hears(peer, "MSA|AA|1"));
    }
    EXPECT_EQ(server->open_connections(), peers.size());
}

TEST_F(Hl7ServerTest, AllPlacesTakenMeansNoMore) {
    MITRAL_PROVES("T-DOS-01", "T-MON-03");
    ServerLimits limits;
    limits.connections = 2;
    start(limits);
    const auto one = connect();
    const auto two = connect();
    ASSERT_TRUE(turn_until([&] { return server->open_connections() == 2; }));
    const auto three = connect();
    EXPECT_TRUE(hears(three, "<closed>"));
    send(one, report("1"));
    EXPECT_TRUE(hears(one, "MSA|AA|1"));
}

TEST_F(Hl7ServerTest, AMonitorWithMostPlacesCannotKeepTheOthersOut) {
    MITRAL_PROVES("T-DOS-01", "T-MON-03");
    Monitor other;
    other.sender.source = "icu-2";
    other.network = net::Network::parse("127.0.0.2").value();
    monitors.all().push_back(other);
    ServerLimits limits;
    limits.connections = 3;
    start(limits);
    const auto one = connect();
    const auto two = connect();
    const auto three = connect();
    ASSERT_TRUE(turn_until([&] { return server->open_connections() == 3; }));
    const auto of_the_other = connect_from("127.0.0.2");
    send(of_the_other, report("1"));
    EXPECT_TRUE(hears(of_the_other, "MSA|AA|1"));
    EXPECT_EQ(server->open_connections(), 3U);
    EXPECT_EQ(monitors.all()[0].open_connections, 2U);
    EXPECT_TRUE(hears(connect(), "<closed>")) << "not for one more of its own";
}

TEST_F(Hl7ServerTest, ShuttingDownCommitsWhatWasReceived) {
    ServerLimits limits;
    limits.group.delay = base::Milliseconds(60'000);
    start(limits);
    const auto peer = connect();
    send(peer, report("1"));
    ASSERT_TRUE(turn_until([&] { return writer.appends == 1; }));
    EXPECT_TRUE(writer.committed.empty());
    server->shut_down();
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(writer.batch_ends, 1);
    EXPECT_TRUE(receive(peer).contains("MSA|AA|1"));
}

}  // namespace
}  // namespace mitral::intake::hl7
