// Messages and packets of Roughtime (RFC 10049, "Message Format" and "Protocol Details"): tags with
// values, all integers little-endian. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::time {

// ASCII, the first letter in the lowest byte.
constexpr std::uint32_t tag(const char (&name)[5]) noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(name[i])) << (8 * i);
    return value;
}
namespace tags {
inline constexpr auto cert = tag("CERT");
inline constexpr auto dele = tag("DELE");
inline constexpr auto indx = tag("INDX");
inline constexpr auto maxt = tag("MAXT");
inline constexpr auto midp = tag("MIDP");
inline constexpr auto mint = tag("MINT");
inline constexpr auto nonc = tag("NONC");
inline constexpr auto path = tag("PATH");
inline constexpr auto pubk = tag("PUBK");
inline constexpr auto radi = tag("RADI");
inline constexpr auto root = tag("ROOT");
inline constexpr auto sig = tag("SIG\0");
inline constexpr auto srep = tag("SREP");
inline constexpr auto srv = tag("SRV\0");
inline constexpr auto type = tag("TYPE");
inline constexpr auto ver = tag("VER\0");
inline constexpr auto vers = tag("VERS");
inline constexpr auto zzzz = tag("ZZZZ");
}  // namespace tags

[[nodiscard]] std::uint32_t load_u32(base::ByteView bytes) noexcept;  // of at least 4 bytes
[[nodiscard]] base::Bytes u32(std::uint32_t value);
[[nodiscard]] base::Bytes u64(std::uint64_t value);

// A view of a message that was received; valid as long as its bytes are.
class Message {
  public:
    static constexpr std::size_t max_tags = 64;

    // Error: malformed_packet (tags out of order or twice, offsets that do not rise or fit).
    [[nodiscard]] static base::Result<Message> parse(base::ByteView bytes);
    [[nodiscard]] std::optional<base::ByteView> find(std::uint32_t tag) const noexcept;

  private:
    std::vector<std::pair<std::uint32_t, base::ByteView>> fields_;
};

// In any order; each tag once, values of a multiple of four bytes.
using Fields = std::vector<std::pair<std::uint32_t, base::Bytes>>;
[[nodiscard]] base::Bytes write_message(Fields fields);

inline constexpr std::size_t packet_header_size = 12;  // "ROUGHTIM" and the length
[[nodiscard]] base::Bytes write_packet(base::ByteView message);
// The size of the packet that begins with these bytes (at least packet_header_size of them).
// Error: malformed_packet (another magic).
[[nodiscard]] base::Result<std::uint64_t> packet_size(base::ByteView header);

}  // namespace mitral::cloud::time
