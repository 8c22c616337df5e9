// A small TLS server that says exactly what a test wants it to say, on OpenSSL directly: it has to
// be able to do what Mitral's own TLS refuses to.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"

namespace mitral::test {

struct TlsServerSetup {
    std::string certificate_file;
    std::string key_file;
    int maximum_version = 0;   // TLS1_1_VERSION, …; 0: the newest
    std::string tls12_suites;  // with maximum_version TLS 1.2
};

// Given the request's head, returns the bytes to send. Called on the server's thread.
using Responder = std::function<std::string(const std::string& head)>;

class TlsServer {
  public:
    TlsServer(const TlsServerSetup& setup, Responder responder);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    // Request heads of all connections; call after the client is done.
    [[nodiscard]] std::vector<std::string> heads() const { return heads_; }

  private:
    struct Context;
    void serve();
    void serve_one(int socket);

    std::unique_ptr<Context> context_;
    Responder responder_;
    base::UniqueFd listener_;
    base::UniqueFd stop_;
    std::uint16_t port_ = 0;
    std::vector<std::string> heads_;
    std::thread thread_;
};

}  // namespace mitral::test
