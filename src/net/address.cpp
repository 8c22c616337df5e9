#include "net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/errors.hpp"

namespace mitral::net {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr int mapped_bits = 96;

void put_ipv4(const in_addr& address, std::array<std::uint8_t, 16>& bytes) {
    std::ranges::copy(mapped_prefix, bytes.begin());
    std::memcpy(bytes.data() + mapped_prefix.size(), &address, sizeof address);
}

// Which bits of the byte at `index` a prefix covers.
std::uint8_t mask_of_byte(int prefix, int index) noexcept {
    const int bits = std::clamp(prefix - 8 * index, 0, 8);
    return static_cast<std::uint8_t>(0xFF00U >> static_cast<unsigned>(bits));
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    const std::string name(text);
    Address address;
    in_addr ipv4{};
    if (inet_pton(AF_INET, name.c_str(), &ipv4) == 1) {
        put_ipv4(ipv4, address.bytes_);
        return address;
    }
    if (inet_pton(AF_INET6, name.c_str(), address.bytes_.data()) == 1)
        return address;
    return std::nullopt;
}

base::Result<Address> Address::of_peer(int socket) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
        return base::fail_errno("ask who is connected");
    Address address;
    if (storage.ss_family == AF_INET)
        put_ipv4(reinterpret_cast<const sockaddr_in&>(storage).sin_addr, address.bytes_);
    else
        std::memcpy(address.bytes_.data(),
                    &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr,
                    address.bytes_.size());
    return address;
}

bool Address::is_ipv4() const noexcept {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

std::string Address::to_text() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool ipv4 = is_ipv4();
    const void* from = ipv4 ? bytes_.data() + mapped_prefix.size() : bytes_.data();
    return inet_ntop(ipv4 ? AF_INET : AF_INET6, from, text.data(), text.size()) != nullptr
               ? text.data()
               : "";
}

std::optional<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    Network network;
    network.address_ = *address;
    if (slash == std::string_view::npos)
        return network;
    const auto digits = text.substr(slash + 1);
    int bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const int offset = address->is_ipv4() ? mapped_bits : 0;
    if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 ||
        bits + offset > 128)
        return std::nullopt;
    network.prefix_ = bits + offset;
    for (int i = 0; i < 16; ++i) {
        if ((address->bytes()[static_cast<std::size_t>(i)] & ~mask_of_byte(network.prefix_, i) &
             0xFF) != 0)
            return std::nullopt;
    }
    return network;
}

bool Network::contains(const Address& address) const noexcept {
    for (int i = 0; i < 16; ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (((address_.bytes()[at] ^ address.bytes()[at]) & mask_of_byte(prefix_, i)) != 0)
            return false;
    }
    return true;
}

}  // namespace mitral::net
