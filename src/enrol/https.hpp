// One HTTPS request at a time to one server. An interface, so that the registration is tested
// against every answer a server could give; https_curl.cpp is the real one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mitral::enrol {

struct HttpRequest {
    enum class Method : std::uint8_t { get, put };
    Method method = Method::get;
    std::string path;                             // with its query; begins with '/'
    const base::Secret* authorization = nullptr;  // the Authorization header; must outlive the call
    std::string body;                             // JSON; put only
};

struct HttpResponse {
    int status = 0;
    std::optional<std::string> retry_after;
    std::string body;
};

class Https {
  public:
    virtual ~Https() = default;
    // Fails with a net::NetError (what went wrong on the way), base::BaseError::timed_out or
    // base::BaseError::too_large; any HTTP status is a success.
    [[nodiscard]] virtual base::Result<HttpResponse> perform(const HttpRequest& request) = 0;

  protected:
    Https() = default;
};

struct HttpsOptions {
    net::Endpoint server;
    std::optional<net::Endpoint> proxy;  // HTTP CONNECT; the environment is never asked
    std::string roots_pem;               // the pinned roots, concatenated
    net::TlsVersion minimum_tls = net::TlsVersion::tls12;
    base::Milliseconds connect_timeout{10'000};
    base::Milliseconds timeout{30'000};  // for the whole request
    std::size_t max_body = 64 * 1024;    // bytes; more is refused while it arrives
    std::string user_agent;
};

// TLS ≥ 1.2 with ECDHE and AEAD suites, pinned roots only, HTTPS only, no redirects, no cookies, no
// compression, HTTP/1.1. Not thread-safe.
[[nodiscard]] base::Result<std::unique_ptr<Https>> make_https(HttpsOptions options);

}  // namespace mitral::enrol
