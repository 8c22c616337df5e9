// The monitors we know: who is at the other end of a connection, and what came from there.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "intake/hl7/interpreter.hpp"
#include "net/address.hpp"
#include "net/connect.hpp"

namespace mitral::intake::hl7 {

struct Monitor {
    Sender sender;
    std::optional<net::Network> network;  // where it is; none: anywhere
    std::string certificate;              // a name its certificate must hold; empty: any, or none

    // Counted since the program started.
    std::size_t open_connections = 0;
    std::uint64_t messages = 0;
    std::uint64_t refused = 0;
    std::optional<base::WallTime> last_message;
    std::optional<std::int64_t> clock_offset_ms;  // its clock minus ours, in its last message
    NotUnderstood not_understood;
};

// Not thread-safe. The monitors stay where they are.
class Monitors {
  public:
    explicit Monitors(std::vector<Monitor> monitors) : monitors_(std::move(monitors)) {}

    // False: nobody at this address can be a monitor of ours, whatever certificate is shown.
    [[nodiscard]] bool known(const net::Address& address) const noexcept;
    // Whether somebody there may be another monitor than `monitor`.
    [[nodiscard]] bool may_be_another(const net::Address& address,
                                      const Monitor& monitor) const noexcept;
    // The entries with the narrowest network around the address decide; among them the one whose
    // certificate was shown, then one that asks for none, unless the certificate is that of another
    // entry: then it is that one, or nobody if that one cannot be here. Otherwise why it is nobody.
    [[nodiscard]] std::expected<Monitor*, std::string_view> identify(
        const net::Address& address, std::span<const std::string> certificate_names) noexcept;

    [[nodiscard]] std::vector<Monitor>& all() noexcept { return monitors_; }
    [[nodiscard]] const std::vector<Monitor>& all() const noexcept { return monitors_; }

  private:
    std::vector<Monitor> monitors_;
};

}  // namespace mitral::intake::hl7
