#include "intake/hl7/monitors.hpp"

#include <algorithm>

namespace mitral::intake::hl7 {
namespace {

constexpr int nowhere = -2;
constexpr int anywhere = -1;

// How narrowly an entry says where its monitor is. One without address and certificate is only
// dialled.
int narrowness(const Monitor& monitor, const net::Address& address) noexcept {
    if (monitor.network)
        return monitor.network->contains(address) ? monitor.network->prefix() : nowhere;
    return monitor.certificate.empty() ? nowhere : anywhere;
}

}  // namespace

bool Monitors::known(const net::Address& address) const noexcept {
    return std::ranges::any_of(
        monitors_, [&](const Monitor& monitor) { return narrowness(monitor, address) != nowhere; });
}

bool Monitors::may_be_another(const net::Address& address, const Monitor& monitor) const noexcept {
    return std::ranges::any_of(monitors_, [&](const Monitor& other) {
        return &other != &monitor && narrowness(other, address) != nowhere;
    });
}

std::expected<Monitor*, std::string_view> Monitors::identify(
    const net::Address& address, std::span<const std::string> certificate_names) noexcept {
    int narrowest = nowhere;
    for (const auto& monitor : monitors_)
        narrowest = std::max(narrowest, narrowness(monitor, address));
    if (narrowest == nowhere)
        return std::unexpected("no monitor is configured at this address");
    Monitor* without_certificate = nullptr;
    for (auto& monitor : monitors_) {
        if (narrowness(monitor, address) != narrowest)
            continue;
        if (monitor.certificate.empty())
            without_certificate = &monitor;
        else if (std::ranges::find(certificate_names, monitor.certificate) !=
                 certificate_names.end())
            return &monitor;
    }
    if (without_certificate != nullptr)
        return without_certificate;
    return std::unexpected(certificate_names.empty()
                               ? "the monitor at this address has to show its certificate"
                               : "the certificate is not that of the monitor at this address");
}

}  // namespace mitral::intake::hl7
