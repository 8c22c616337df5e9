#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/tls.hpp"

namespace mitral::cloud::faults {

// The two roots of a local Azure: {state}/tls, and {state}/tls/rollover for the fault
// `certificate-rollover`. Both are there from the first start, so that clients can be told to trust
// the second before it is used.
class Roots {
  public:
    // All outlive this. `context`: what the ports accept with from now on.
    Roots(std::string directory, std::vector<std::string> names, const base::Clock& clock,
          net::TlsContext& context)
        : directory_(std::move(directory)),
          names_(std::move(names)),
          clock_(clock),
          context_(context) {}

    [[nodiscard]] base::Status prepare() const;
    // Connections that are open keep what they have. `fresh`: a root that nobody has seen.
    [[nodiscard]] base::Status use(bool other, bool fresh);

  private:
    std::string directory_;
    std::vector<std::string> names_;
    const base::Clock& clock_;
    net::TlsContext& context_;
};

// For `names`, with certificates in `directory`.
[[nodiscard]] base::Result<net::TlsContext> server_context(const std::string& directory,
                                                           const std::vector<std::string>& names,
                                                           const std::string& authority,
                                                           base::WallTime now);
inline constexpr const char* first_authority = "Mitral local Azure";

}  // namespace mitral::cloud::faults
