// Numeric addresses of peers, and networks of them. An IPv4 address is the same address when it
// comes over an IPv6 socket (RFC 4291 §2.5.5.2).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::net {

class Address {
  public:
    // "10.1.2.3", "2001:db8::1"
    [[nodiscard]] static std::optional<Address> parse(std::string_view text);
    // Of the other end of a connected socket.
    [[nodiscard]] static base::Result<Address> of_peer(int socket);

    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] bool is_ipv4() const noexcept;
    [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    auto operator<=>(const Address&) const = default;

  private:
    friend class Network;
    std::array<std::uint8_t, 16> bytes_{};
};

// An address, or a prefix of one: "10.1.2.0/24", "2001:db8::/32".
class Network {
  public:
    // nullopt also where bits behind the prefix are set: "10.1.2.3/24" is neither one nor all.
    [[nodiscard]] static std::optional<Network> parse(std::string_view text);

    [[nodiscard]] bool contains(const Address& address) const noexcept;
    // Bits that are given, of 128; the longer, the fewer addresses.
    [[nodiscard]] int prefix() const noexcept { return prefix_; }
    bool operator==(const Network&) const = default;

  private:
    Address address_;
    int prefix_ = 128;
};

}  // namespace mitral::net
