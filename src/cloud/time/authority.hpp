#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "cloud/time/request.hpp"

namespace mitral::cloud::time {

// A time authority: its long-term key, the key that it delegated signing to, and signed answers.
// Not thread-safe.
class Authority {
  public:
    // Bound of a batch: its longest PATH still fits into the smallest datagram.
    static constexpr std::size_t max_batch = 64;
    static constexpr base::Seconds delegation_before{3600};
    static constexpr base::Seconds delegation_after{7 * 24 * 3600};

    // Makes both keys in `directory` when they are missing, and writes public.key (base64) beside
    // them. `clock` tells the time that is signed and outlives this.
    [[nodiscard]] static base::Result<Authority> open(const std::string& directory,
                                                      const base::Clock& clock);

    [[nodiscard]] const base::Ed25519PublicKey& public_key() const noexcept { return public_key_; }
    // What the SRV tag of a request names it by.
    [[nodiscard]] const Digest& srv() const noexcept { return srv_; }

    // A packet for each request, in their order, under one signature and one time for each version
    // among them. At most max_batch requests; at most min_datagram bytes a packet.
    [[nodiscard]] base::Result<std::vector<base::Bytes>> answer(std::span<const Request> requests);

  private:
    Authority(base::Secret long_term, base::Secret delegated, base::Ed25519PublicKey public_key,
              const base::Clock& clock);
    [[nodiscard]] base::Status delegate(std::int64_t now);
    [[nodiscard]] base::Status answer_in(std::uint32_t version, std::span<const Request> requests,
                                         std::int64_t now, std::vector<base::Bytes>& answers);

    base::Secret long_term_;
    base::Secret delegated_;
    base::Ed25519PublicKey public_key_;
    Digest srv_;
    const base::Clock* clock_;
    base::Bytes certificate_;  // CERT, for the times between the next two
    std::int64_t not_before_ = 0;
    std::int64_t not_after_ = -1;
};

}  // namespace mitral::cloud::time
