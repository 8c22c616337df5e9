#include "net/connect.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <thread>

#include "base/errors.hpp"
#include "net/error.hpp"
#include "net/proxy.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::net {
namespace {

using base::BaseError;
using base::Milliseconds;
using base::UniqueFd;
using test::failed_with;
using test::ok;

TEST(ParseEndpoint, TakesHostAndPort) {
    EXPECT_EQ(parse_endpoint("hub.example", 8883)->port, 8883);
    EXPECT_EQ(parse_endpoint("hub.example:443", 8883)->port, 443);
    EXPECT_EQ(parse_endpoint("[::1]:443", 8883)->host, "::1");
    EXPECT_EQ(parse_endpoint("[::1]", 8883)->port, 8883);
}

TEST(ParseEndpoint, RefusesNonsense) {
    for (const char* text :
         {"", ":443", "hub:", "hub:0", "hub:65536", "hub:44x", "[::1", "[::1]x", "[::1]:"})
        EXPECT_TRUE(failed_with(parse_endpoint(text, 1), BaseError::invalid_setting)) << text;
}

TEST(ConnectAnswer, WaitsForTheWholeHeader) {
    const std::string answer = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
    for (std::size_t size = 0; size < answer.size(); ++size) {
        const auto status = parse_connect_answer(std::string_view(answer).substr(0, size));
        ASSERT_TRUE(ok(status));
        EXPECT_FALSE(status->has_value());
    }
    EXPECT_EQ(**parse_connect_answer(answer), 200);
}

TEST(ConnectAnswer, RefusesWhatIsNotHttp) {
    MITRAL_PROVES("T-MITM-05", "CR 3.5");
    for (const char* answer : {"\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/2 200 OK x\r\n\r\n",
                               "HTTP/1.1 2x0 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n"})
        EXPECT_TRUE(failed_with(parse_connect_answer(answer), BaseError::malformed)) << answer;
    EXPECT_TRUE(failed_with(parse_connect_answer(std::string(max_proxy_answer, 'x')),
                            BaseError::too_large));
}

// A listener on loopback and its port.
struct Listener {
    Listener() : fd(*listen_tcp({"127.0.0.1", 0})) {
        sockaddr_in address{};
        socklen_t size = sizeof address;
        EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port = ntohs(address.sin_port);
    }
    UniqueFd fd;
    std::uint16_t port = 0;
};

TEST(ConnectTcp, ReachesAListener) {
    const Listener listener;
    EXPECT_TRUE(ok(connect_tcp({{"127.0.0.1", listener.port}, std::nullopt, Milliseconds(2000)})));
}

TEST(ConnectTcp, SaysWhyNot) {
    std::uint16_t closed_port = 0;
    {
        const Listener listener;
        closed_port = listener.port;
    }
    EXPECT_TRUE(
        failed_with(connect_tcp({{"127.0.0.1", closed_port}, std::nullopt, Milliseconds(2000)}),
                    NetError::unreachable));
    EXPECT_TRUE(
        failed_with(connect_tcp({{"no-such-host.invalid", 1}, std::nullopt, Milliseconds(2000)}),
                    NetError::name_not_resolved));
}

// Plays a proxy for one client: reads the request, sends `answer`, returns the request.
std::string serve_once(const UniqueFd& listener, const std::string& answer) {
    int raw = -1;
    while (raw < 0)
        raw = ::accept(listener.get(), nullptr, nullptr);
    const UniqueFd client(raw);
    std::string request;
    std::array<char, 256> buffer{};
    while (!request.ends_with("\r\n\r\n")) {
        const ssize_t count = ::read(client.get(), buffer.data(), buffer.size());
        if (count <= 0)
            break;
        request.append(buffer.data(), static_cast<std::size_t>(count));
    }
    EXPECT_EQ(::write(client.get(), answer.data(), answer.size()),
              static_cast<ssize_t>(answer.size()));
    return request;
}

TEST(ConnectTcp, AsksTheProxyForATunnelAndLeavesTheRestUnread) {
    const Listener proxy;
    auto request = std::async(std::launch::async, serve_once, std::cref(proxy.fd),
                              std::string("HTTP/1.1 200 OK\r\n\r\nfirst TLS bytes"));
    const auto tunnel =
        connect_tcp({{"hub.example", 8883}, Endpoint{"127.0.0.1", proxy.port}, Milliseconds(5000)});
    ASSERT_TRUE(ok(tunnel));
    EXPECT_EQ(request.get(), "CONNECT hub.example:8883 HTTP/1.1\r\nHost: hub.example:8883\r\n\r\n");
    std::array<char, 64> buffer{};
    ssize_t count = -1;
    while (count < 0)
        count = ::read(tunnel->get(), buffer.data(), buffer.size());
    EXPECT_EQ(std::string_view(buffer.data(), static_cast<std::size_t>(count)), "first TLS bytes");
}

TEST(ConnectTcp, PassesTheProxysRefusalOn) {
    MITRAL_PROVES("T-MITM-05");
    const Listener proxy;
    auto request = std::async(std::launch::async, serve_once, std::cref(proxy.fd),
                              std::string("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"));
    const auto tunnel =
        connect_tcp({{"hub.example", 8883}, Endpoint{"127.0.0.1", proxy.port}, Milliseconds(5000)});
    ASSERT_TRUE(failed_with(tunnel, NetError::proxy_refused));
    EXPECT_NE(tunnel.error().context.find("407"), std::string::npos);
}

TEST(ConnectTcp, ASilentProxyTimesOut) {
    MITRAL_PROVES("T-MITM-05", "T-DOS-04");
    const Listener proxy;
    EXPECT_TRUE(failed_with(
        connect_tcp({{"hub.example", 1}, Endpoint{"127.0.0.1", proxy.port}, Milliseconds(50)}),
        BaseError::timed_out));
}

TEST(StartConnect, ReturnsAtOnceAndTellsLaterHowItWent) {
    const Listener listener;
    const Endpoint target{"127.0.0.1", listener.port};
    const auto fd = start_connect(target);
    ASSERT_TRUE(ok(fd));
    pollfd entry{fd->get(), POLLOUT, 0};
    ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
    EXPECT_TRUE(ok(connection_result(fd->get(), target)));
}

TEST(StartConnect, TellsWhenNobodyListens) {
    Endpoint target{"127.0.0.1", 0};
    {
        const Listener gone;
        target.port = gone.port;
    }
    const auto fd = start_connect(target);
    ASSERT_TRUE(ok(fd));
    pollfd entry{fd->get(), POLLOUT, 0};
    ASSERT_EQ(::poll(&entry, 1, 10'000), 1);
    EXPECT_TRUE(failed_with(connection_result(fd->get(), target), NetError::unreachable));
}

TEST(StartConnect, AsksNoNameServer) {
    EXPECT_TRUE(failed_with(start_connect({"localhost", 1}), NetError::name_not_resolved));
}

}  // namespace
}  // namespace mitral::net
