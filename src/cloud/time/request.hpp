#pragma once

#include <array>
#include <cstdint>

#include "cloud/time/digest.hpp"
#include "cloud/time/message.hpp"

namespace mitral::cloud::time {

inline constexpr std::uint32_t version_1 = 1;
inline constexpr std::uint32_t version_drafts = 0x8000000c;  // of the last drafts; same format

inline constexpr std::size_t max_request = 4096;
// Over UDP: no answer is larger, so that nobody's traffic is amplified.
inline constexpr std::size_t min_datagram = 1024;

struct Request {
    std::array<std::uint8_t, 32> nonce{};
    std::uint32_t version = version_1;  // the one to answer in
    Digest leaf{};                      // of the whole packet, for the Merkle tree
};

// Reads one whole packet. `srv` names the server's key: a request that names another is refused, as
// is everything that RFC 10049 ("Requests") has a server ignore. Errors: malformed_packet,
// not_found (another server's key, or no common version).
[[nodiscard]] base::Result<Request> read_request(base::ByteView packet, const Digest& srv);

}  // namespace mitral::cloud::time
