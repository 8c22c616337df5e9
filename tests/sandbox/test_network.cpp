// The sensor side has no network at all; the uplink reaches the ports of its policy and no others.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "base/fd.hpp"
#include "base/landlock.hpp"
#include "sandbox/cage.hpp"
#include "support/proves.hpp"

namespace mitral::test {
namespace {

constexpr int multipath_tcp = 262;  // IPPROTO_MPTCP

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

const sockaddr* generic(const sockaddr_in& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

// A listening socket on a port that the kernel chose.
class Listener {
  public:
    explicit Listener(int protocol = 0) : socket_(::socket(AF_INET, SOCK_STREAM, protocol)) {
        auto address = loopback(0);
        socklen_t length = sizeof address;
        if (bind(socket_.get(), generic(address), length) == 0 && listen(socket_.get(), 8) == 0 &&
            getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0)
            port_ = ntohs(address.sin_port);
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int socket() const { return socket_.get(); }

  private:
    base::UniqueFd socket_;
    std::uint16_t port_ = 0;
};

int open_socket(int family, int type, int protocol = 0) {
    const base::UniqueFd socket(::socket(family, type, protocol));
    return socket.valid() ? 0 : errno;
}

int connect_to(std::uint16_t port, int protocol = 0) {
    const base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM, protocol));
    if (!socket.valid())
        return errno;
    const auto address = loopback(port);
    return error_of(connect(socket.get(), generic(address), sizeof address));
}

class SandboxNetwork : public CageTest {
  protected:
    [[nodiscard]] base::SandboxPolicy online(std::uint16_t port) const {
        auto policy = room();
        policy.internet = true;
        policy.tcp_connect = {port};
        return policy;
    }
    [[nodiscard]] static bool has_port_rules() { return base::landlock_abi().value_or(0) >= 4; }
};

// A socket keeps the network in which it was made; without a connection it is like a new one there.
TEST_F(SandboxNetwork, a_listener_that_was_brought_along_calls_nobody) {
    MITRAL_PROVES("T-SW-06", "T-WAY-02", "CR 5.1");
    if (!has_port_rules())
        GTEST_SKIP() << "Landlock rules for ports need ABI 4 (Linux 6.7)";
    const Listener target;
    const Listener brought;
    const auto turn_round = [&] {
        sockaddr nobody{};
        nobody.sa_family = AF_UNSPEC;
        if (connect(brought.socket(), &nobody, sizeof nobody) != 0)
            return errno;
        const auto address = loopback(target.port());
        return error_of(connect(brought.socket(), generic(address), sizeof address));
    };
    EXPECT_TRUE(attempt_in(room(), turn_round).refused());
    EXPECT_TRUE(attempt_outside(turn_round).succeeded());
}

TEST_F(SandboxNetwork, a_room_without_internet_opens_no_internet_socket) {
    MITRAL_PROVES("T-SW-06", "T-WAY-02", "CR 5.1", "PS-05", "R64", "R78");
    for (const int family : {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK}) {
        const auto attempt = [&] { return open_socket(family, SOCK_DGRAM); };
        EXPECT_TRUE(attempt_in(room(), attempt).refused()) << "family " << family;
    }
    EXPECT_TRUE(attempt_outside([] { return open_socket(AF_INET, SOCK_DGRAM); }).succeeded());
}

TEST_F(SandboxNetwork, a_room_without_internet_lives_in_an_empty_network_namespace) {
    MITRAL_PROVES("T-WAY-02", "R78");
    if (!is_root())
        GTEST_SKIP() << "needs root";
    const auto namespace_name = [] {
        std::array<char, 64> name{};
        (void)!readlink("/proc/self/ns/net", name.data(), name.size() - 1);
        return std::string(name.data());
    };
    const auto before = namespace_name();
    EXPECT_TRUE(
        attempt_in(room(), [&] { return namespace_name() == before ? 0 : EXDEV; }).refused());
    EXPECT_TRUE(
        attempt_outside([&] { return namespace_name() == before ? 0 : EXDEV; }).succeeded());
}

TEST_F(SandboxNetwork, allowed_ports_can_be_reached) {
    const Listener listener;
    const auto outcome =
        attempt_in(online(listener.port()), [&] { return connect_to(listener.port()); });
    EXPECT_TRUE(outcome.succeeded()) << outcome;
}

TEST_F(SandboxNetwork, other_ports_cannot_be_reached) {
    MITRAL_PROVES("T-SW-06", "T-MITM-04", "CR 5.1", "R64");
    if (!has_port_rules())
        GTEST_SKIP() << "Landlock guards TCP ports from version 4 on; the firewall does here";
    const Listener allowed;
    const Listener other;
    const auto attempt = [&] { return connect_to(other.port()); };
    EXPECT_EQ(attempt_in(online(allowed.port()), attempt).error, EACCES);
    EXPECT_TRUE(attempt_outside(attempt).succeeded());
}

TEST_F(SandboxNetwork, other_ports_cannot_be_reached_by_fast_open) {
    MITRAL_PROVES("T-SW-06");
    const Listener allowed;
    const Listener other;
    const auto attempt = [&] {
        const base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
        const auto address = loopback(other.port());
        return error_of(sendto(socket.get(), "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, generic(address),
                               sizeof address));
    };
    EXPECT_TRUE(attempt_in(online(allowed.port()), attempt).refused());
    EXPECT_TRUE(attempt_outside(attempt).succeeded());
}

TEST_F(SandboxNetwork, other_ports_cannot_be_reached_by_multipath_tcp) {
    MITRAL_PROVES("T-SW-06");
    const Listener allowed;
    const Listener other;
    const auto attempt = [&] { return connect_to(other.port(), multipath_tcp); };
    EXPECT_TRUE(attempt_in(online(allowed.port()), attempt).refused());
    const auto open_one = [] { return open_socket(AF_INET, SOCK_STREAM, multipath_tcp); };
    if (attempt_outside(open_one).succeeded()) {
        EXPECT_TRUE(attempt_outside(attempt).succeeded());
    }
}

TEST_F(SandboxNetwork, raw_and_packet_sockets_cannot_be_opened) {
    MITRAL_PROVES("T-SW-06", "R64");
    const auto raw = [] { return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); };
    const auto packet = [] { return open_socket(AF_PACKET, SOCK_RAW, 0); };
    EXPECT_TRUE(attempt_in(online(443), raw).refused());
    EXPECT_TRUE(attempt_in(online(443), packet).refused());
    if (is_root()) {
        EXPECT_TRUE(attempt_outside(raw).succeeded());
    }
}

TEST_F(SandboxNetwork, a_port_that_is_not_named_cannot_be_bound) {
    MITRAL_PROVES("T-WAY-02", "R80");
    if (!has_port_rules())
        GTEST_SKIP() << "Landlock guards TCP ports from version 4 on; the firewall does here";
    const auto attempt = [] {
        const base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM, 0));
        const auto address = loopback(0);
        return error_of(bind(socket.get(), generic(address), sizeof address));
    };
    EXPECT_TRUE(attempt_in(online(443), attempt).refused());
    EXPECT_TRUE(attempt_outside(attempt).succeeded());
}

TEST_F(SandboxNetwork, abstract_sockets_of_others_cannot_be_reached) {
    MITRAL_PROVES("T-SW-06", "R65");
    const auto abi = base::landlock_abi();
    ASSERT_TRUE(abi);
    if (*abi < 6 && !is_root())
        GTEST_SKIP() << "abstract sockets are guarded from Landlock version 6 on";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "mitral-test-" + std::to_string(getpid());
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const base::UniqueFd server(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(server.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
    ASSERT_EQ(listen(server.get(), 4), 0);
    const auto attempt = [&] {
        const base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
        return error_of(connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length));
    };
    EXPECT_TRUE(attempt_in(room(), attempt).refused());
    if (*abi >= 6) {
        EXPECT_TRUE(attempt_in(online(443), attempt).refused());
    }
    EXPECT_TRUE(attempt_outside(attempt).succeeded());
}

}  // namespace
}  // namespace mitral::test
