#include "cloud/hub/hosts.hpp"

#include <algorithm>

#include "azure/text.hpp"

namespace mitral::cloud::hub {
namespace {

std::string_view without_port(std::string_view host) {
    const auto colon = host.rfind(':');
    if (colon == std::string_view::npos || host.ends_with(']'))
        return host;
    const auto port = host.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        port.find_first_not_of("0123456789") == std::string_view::npos;
    return digits ? host.substr(0, colon) : host;
}

}  // namespace

Hosts::Hosts(std::vector<std::string> names) : names_(std::move(names)) {
    for (auto& name : names_)
        name = azure::to_lower(without_port(name));
}

bool Hosts::knows(std::string_view host) const {
    const auto name = azure::to_lower(without_port(host));
    return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::string_view Hosts::host_of(std::string_view resource) noexcept {
    return resource.substr(0, resource.find('/'));
}

}  // namespace mitral::cloud::hub
