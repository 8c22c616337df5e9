#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cloud {

struct AdminRequest {
    std::uint16_t port = 0;
    std::string method;
    std::string path;       // with its query, encoded
    std::string headers{};  // each with its line end
    std::string body{};
    base::Seconds patience{10};  // for each step of the exchange
};
struct AdminAnswer {
    int status = 0;
    std::string head{};
    std::string body{};

    // Empty without one. `name` as the server writes it.
    [[nodiscard]] std::string header(const std::string& name) const;
};
// Whatever the status is. An answer has at most 64 MiB.
[[nodiscard]] base::Result<AdminAnswer> exchange(const AdminRequest& request);

// Of the server that runs on this state directory.
[[nodiscard]] base::Result<std::uint16_t> admin_port(const std::string& state);

// One request to the admin port of a running server on this machine; blocks for 10 s at most.
// `path` with its query, encoded. Returns the body of a 2xx; another status is an error with the
// server's words (CloudError::invalid_argument).
[[nodiscard]] base::Result<std::string> ask_admin(std::uint16_t port, const std::string& method,
                                                  const std::string& path,
                                                  const std::string& body = {});

// The same for the server that runs on this state directory. A refusal's text is the error's; says
// so when no server runs.
[[nodiscard]] base::Result<std::string> ask_server(const std::string& state,
                                                   const std::string& method,
                                                   const std::string& path,
                                                   const std::string& body = {});

}  // namespace mitral::cloud
