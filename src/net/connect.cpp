#include "net/connect.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <memory>

#include "base/errors.hpp"
#include "net/error.hpp"
#include "net/proxy.hpp"

namespace mitral::net {

using base::fail;
using base::fail_errno;
using base::Result;
using base::UniqueFd;

namespace {

struct AddressListDeleter {
    void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

std::string to_text(const Endpoint& endpoint) {
    return endpoint.host + ":" + std::to_string(endpoint.port);
}

Result<AddressList> resolve(const Endpoint& endpoint, int flags) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    const int failure =
        getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &list);
    if (failure != 0)
        return fail(NetError::name_not_resolved,
                    endpoint.host + " (" + gai_strerror(failure) + "); check the DNS server");
    return AddressList(list);
}

// What became of a connect(): 0 or its errno.
int outcome_of(int fd) {
    int failure = 0;
    socklen_t size = sizeof failure;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

// Waits for a connect() in progress; 0 or its errno.
int await_connection(int fd, base::Milliseconds timeout) {
    pollfd poll_entry{fd, POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&poll_entry, 1, static_cast<int>(timeout.count()));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return ETIMEDOUT;
    return ready < 0 ? errno : outcome_of(fd);
}

Result<UniqueFd> open_socket(const addrinfo& address) {
    UniqueFd fd(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                         address.ai_protocol));
    if (!fd.valid())
        return fail_errno("create a TCP socket");
    const int one = 1;
    (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

Result<UniqueFd> connect_address(const addrinfo& address, base::Milliseconds timeout) {
    MITRAL_TRY(auto fd, open_socket(address));
    if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0)
        return fd;
    int failure = errno;
    if (failure == EINPROGRESS)
        failure = await_connection(fd.get(), timeout);
    if (failure != 0)
        return fail_errno(failure, "connect");
    return fd;
}

Result<UniqueFd> connect_endpoint(const Endpoint& endpoint, base::Milliseconds timeout) {
    MITRAL_TRY(const auto addresses, resolve(endpoint, 0));
    std::string last = "no address";
    for (const addrinfo* address = addresses.get(); address != nullptr;
         address = address->ai_next) {
        auto connected = connect_address(*address, timeout);
        if (connected)
            return connected;
        last = connected.error().code.message();
    }
    return fail(NetError::unreachable, to_text(endpoint) + " (" + last + ")");
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& text, std::uint16_t default_port) {
    Endpoint endpoint{text, default_port};
    std::string port;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string::npos)
            return fail(base::BaseError::invalid_setting, "'" + text + "': ']' is missing");
        endpoint.host = text.substr(1, close - 1);
        const std::string rest = text.substr(close + 1);
        if (!rest.empty() && !rest.starts_with(':'))
            return fail(base::BaseError::invalid_setting, "'" + text + "' is not host:port");
        port = rest.empty() ? "" : rest.substr(1);
        if (!rest.empty() && port.empty())
            return fail(base::BaseError::invalid_setting, "'" + text + "': the port is missing");
    } else if (const auto colon = text.find(':'); colon != std::string::npos) {
        endpoint.host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (port.empty())
            return fail(base::BaseError::invalid_setting, "'" + text + "': the port is missing");
    }
    if (endpoint.host.empty())
        return fail(base::BaseError::invalid_setting, "'" + text + "': the host is missing");
    if (!port.empty()) {
        const auto [end, error] =
            std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
        if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0)
            return fail(base::BaseError::invalid_setting,
                        "'" + text + "': a port is a number from 1 to 65535");
    }
    return endpoint;
}

Result<UniqueFd> connect_tcp(const ConnectOptions& options) {
    if (!options.proxy)
        return connect_endpoint(options.target, options.timeout);
    auto tunnel = connect_endpoint(*options.proxy, options.timeout);
    if (!tunnel)
        return base::fail_with("proxy", tunnel.error());
    MITRAL_CHECK(open_tunnel(tunnel->get(), options.target, options.timeout));
    return tunnel;
}

Result<UniqueFd> start_connect(const Endpoint& target) {
    MITRAL_TRY(const auto addresses, resolve(target, AI_NUMERICHOST));
    MITRAL_TRY(auto fd, open_socket(*addresses));
    if (::connect(fd.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 && errno != EINPROGRESS)
        return fail(NetError::unreachable,
                    to_text(target) + " (" + std::generic_category().message(errno) + ")");
    return fd;
}

base::Status connection_result(int socket, const Endpoint& target) {
    const int failure = outcome_of(socket);
    if (failure != 0)
        return fail(NetError::unreachable,
                    to_text(target) + " (" + std::generic_category().message(failure) + ")");
    return {};
}

Result<UniqueFd> listen_tcp(const Endpoint& at) {
    MITRAL_TRY(const auto addresses, resolve(at, AI_PASSIVE));
    const addrinfo& address = *addresses;
    UniqueFd fd(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                         address.ai_protocol));
    if (!fd.valid())
        return fail_errno("create a TCP socket");
    const int one = 1;
    (void)setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0)
        return fail_errno("listen on " + to_text(at));
    if (::listen(fd.get(), SOMAXCONN) != 0)
        return fail_errno("listen on " + to_text(at));
    return fd;
}

}  // namespace mitral::net
