// The certificate authority of a local Azure, made at its first start, and the server certificate
// under it.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cloud::tls {

struct ServerFiles {
    std::string ca;           // give this one to clients
    std::string certificate;  // chain, leaf first
    std::string key;
};

// Makes what is missing in `directory` (ca.pem, ca.key, server.pem, server.key). The server
// certificate is made anew when it does not name all of `names` (DNS names or addresses) or ends
// within 30 days; the authority (of that name) stays, so clients keep trusting it.
[[nodiscard]] base::Result<ServerFiles> ensure_certificates(
    const std::string& directory, const std::vector<std::string>& names, base::WallTime now,
    const std::string& authority = "Mitral local Azure");

}  // namespace mitral::cloud::tls
