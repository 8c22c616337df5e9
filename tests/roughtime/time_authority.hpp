// A time authority for tests, right or wrong on purpose; shares no code with the client.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/crypto.hpp"

namespace mitral::test {

// Values by tag ("SIG", "VER"), each a multiple of four bytes.
using RoughtimeFields = std::map<std::string, base::Bytes>;
[[nodiscard]] base::Bytes roughtime_message(const RoughtimeFields& fields);
[[nodiscard]] base::Bytes roughtime_packet(base::ByteView message);
[[nodiscard]] base::Bytes little_endian(std::uint64_t value, std::size_t size);

struct TimeAnswer {
    std::int64_t midpoint_s = 0;
    std::uint32_t radius_s = 3;
    std::uint32_t version = 1;
    std::int64_t not_before_s = 0;
    std::int64_t not_after_s = 253402300799;
    unsigned depth = 3;      // of the tree
    std::uint32_t leaf = 5;  // which one is ours
    // Change what was made, before it is signed and after.
    std::function<void(RoughtimeFields& dele)> alter_delegation = {};
    std::function<void(RoughtimeFields& srep)> alter_response = {};
    std::function<void(RoughtimeFields& answer)> alter = {};
};

class TimeAuthority {
  public:
    TimeAuthority();
    [[nodiscard]] const base::Ed25519PublicKey& key() const noexcept { return public_key_; }
    [[nodiscard]] base::Bytes answer(base::ByteView request, const TimeAnswer& plan) const;

  private:
    base::Secret long_term_;
    base::Secret delegated_;
    base::Ed25519PublicKey public_key_{};
};

}  // namespace mitral::test
