// Judges and answers one request: rights, rate, then the back end. Knows no sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <set>

#include "base/clock.hpp"
#include "vault/backend.hpp"
#include "vault/protocol.hpp"
#include "vault/rate_limit.hpp"
#include "vault/refusal_tally.hpp"
#include "vault/rights.hpp"

namespace mitral::vault {

class Service {
  public:
    Service(Backend& backend, RightsTable rights, Limits limits, const base::Clock& clock);

    // `uid` is the kernel's word on who asks. Never fails: a refusal is a reply too.
    [[nodiscard]] base::Secret answer(uid_t uid, base::ByteView datagram);

    // Whether this peer has any right: others need no connection.
    [[nodiscard]] bool knows(uid_t uid) const { return rights_.knows(uid); }
    // Counts and tells the log of a connection that was not taken.
    void note_refused_connection(uid_t uid);

  private:
    using Told = std::set<uid_t>;  // once in the log, until they slow down
    [[nodiscard]] bool admit(RateLimiter& limiter, Told& told, uid_t uid, std::string_view event);
    [[nodiscard]] bool admit(uid_t uid, const base::Result<Request>& request);
    [[nodiscard]] base::Secret judge(uid_t uid, const Request& request);
    [[nodiscard]] base::Secret perform(const Request& request);
    [[nodiscard]] base::Secret refuse(uid_t uid, std::string_view operation,
                                      const base::Error& error);
    [[nodiscard]] base::Secret status();

    Backend& backend_;
    RightsTable rights_;
    RateLimiter limiter_;
    RateLimiter mint_limiter_;
    RateLimiter pseudonym_limiter_;
    RateLimiter evidence_limiter_;
    const base::Clock& clock_;
    std::uint64_t refusals_ = 0;
    Told flooding_;
    Told minting_too_often_;
    Told naming_too_many_;
    Told attesting_too_often_;
    RefusalTally refused_connections_;
};

}  // namespace mitral::vault
