#include "enrol/tls_server.hpp"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace mitral::test {

struct TlsServer::Context {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> raw{SSL_CTX_new(TLS_server_method()),
                                                          SSL_CTX_free};
};

namespace {

void require(bool good, const char* what) {
    if (!good)
        throw std::runtime_error(what);
}

void configure(SSL_CTX* context, const TlsServerSetup& setup) {
    SSL_CTX_set_security_level(context, 0);  // old versions and weak suites are the point
    require(SSL_CTX_use_certificate_chain_file(context, setup.certificate_file.c_str()) == 1,
            "certificate");
    require(SSL_CTX_use_PrivateKey_file(context, setup.key_file.c_str(), SSL_FILETYPE_PEM) == 1,
            "key");
    require(SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1, "minimum version");
    if (setup.maximum_version != 0)
        require(SSL_CTX_set_max_proto_version(context, setup.maximum_version) == 1,
                "maximum version");
    if (!setup.tls12_suites.empty())
        require(SSL_CTX_set_cipher_list(context, setup.tls12_suites.c_str()) == 1, "suites");
}

}  // namespace

TlsServer::TlsServer(const TlsServerSetup& setup, Responder responder)
    : context_(std::make_unique<Context>()), responder_(std::move(responder)) {
    configure(context_->raw.get(), setup);
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    stop_.reset(::eventfd(0, EFD_CLOEXEC));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    require(::bind(listener_.get(), generic, size) == 0 && ::listen(listener_.get(), 16) == 0 &&
                ::getsockname(listener_.get(), generic, &size) == 0,
            "listen");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
}

TlsServer::~TlsServer() {
    const std::uint64_t one = 1;
    (void)!::write(stop_.get(), &one, sizeof one);
    thread_.join();
}

void TlsServer::serve() {
    while (true) {
        pollfd entries[2] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
        if (::poll(entries, 2, -1) < 0 || entries[1].revents != 0)
            return;
        const base::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (socket.valid())
            serve_one(socket.get());
    }
}

void TlsServer::serve_one(int socket) {
    const timeval patience{5, 0};
    (void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context_->raw.get()), SSL_free);
    SSL_set_fd(tls.get(), socket);
    if (SSL_accept(tls.get()) != 1)
        return;
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
        const int count = SSL_read(tls.get(), buffer, sizeof buffer);
        if (count <= 0)
            return;
        head.append(buffer, static_cast<std::size_t>(count));
    }
    heads_.push_back(head);
    const auto response = responder_(head);
    for (std::size_t sent = 0; sent < response.size();) {
        const int count =
            SSL_write(tls.get(), response.data() + sent, static_cast<int>(response.size() - sent));
        if (count <= 0)
            return;
        sent += static_cast<std::size_t>(count);
    }
    SSL_shutdown(tls.get());
}

}  // namespace mitral::test
