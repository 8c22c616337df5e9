// Judges and answers one request: rights, rate, then the back end. Knows no sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "base/clock.hpp"
#include "vault/backend.hpp"
#include "vault/protocol.hpp"
#include "vault/rate_limit.hpp"
#include "vault/rights.hpp"

namespace mitral::vault {

class Service {
  public:
    Service(Backend& backend, RightsTable rights, RateLimit limit, const base::Clock& clock);

    // `uid` is the kernel's word on who asks. Never fails: a refusal is a reply too.
    [[nodiscard]] base::Secret answer(uid_t uid, base::ByteView datagram);

  private:
    [[nodiscard]] base::Secret perform(const Request& request);
    [[nodiscard]] base::Secret refuse(uid_t uid, std::string_view operation,
                                      const base::Error& error);
    [[nodiscard]] base::Secret status();

    Backend& backend_;
    RightsTable rights_;
    RateLimiter limiter_;
    const base::Clock& clock_;
    std::uint64_t refusals_ = 0;
    std::set<uid_t> flooding_;  // told once in the log, until they slow down
};

}  // namespace mitral::vault
