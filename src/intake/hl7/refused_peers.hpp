// Says who was cut off and why: a security event, but no way to fill the journal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "net/address.hpp"

namespace mitral::intake::hl7 {

class RefusedPeers {
  public:
    static constexpr base::Milliseconds quiet{60'000};  // before the same is told again
    static constexpr std::size_t max_told = 256;        // told apart; the others are only counted

    explicit RefusedPeers(const base::Clock& clock) noexcept : clock_(clock) {}

    // `source`: the monitor it is, where that was known already.
    void note(const net::Address& address, std::string_view reason, std::string_view source = {});
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

  private:
    struct Told {
        base::MonotonicTime at;
        std::uint64_t since = 0;  // of the same kind, not told
    };
    using Kind = std::pair<net::Address, std::string>;

    const base::Clock& clock_;
    std::map<Kind, Told> told_;
    std::uint64_t total_ = 0;
};

}  // namespace mitral::intake::hl7
