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
    const auto is_shown = [&](const Monitor& monitor) {
        return !monitor.certificate.empty() &&
               std::ranges::find(certificate_names, monitor.certificate) != certificate_names.end();
    };
    Monitor* without_certificate = nullptr;
    for (auto& monitor : monitors_) {
        if (narrowness(monitor, address) != narrowest)
            continue;
        if (monitor.certificate.empty())
            without_certificate = &monitor;
        else if (is_shown(monitor))
            return &monitor;
    }
    // An entry that asks for no certificate must not take the readings of who shows another's.
    if (without_certificate != nullptr) {
        const auto may_be = [&](const Monitor& monitor) {
            return is_shown(monitor) && narrowness(monitor, address) != nowhere;
        };
        if (const auto here = std::ranges::find_if(monitors_, may_be); here != monitors_.end())
            return &*here;
        if (std::ranges::none_of(monitors_, is_shown))
            return without_certificate;
    }
    return std::unexpected(certificate_names.empty()
                               ? "the monitor at this address has to show its certificate"
                               : "the certificate is not that of the monitor at this address");
}

}  // namespace mitral::intake::hl7
