#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mitral::cloud::hub {

// The names under which clients may know this hub. A port after the name says how a client got
// here, not who the hub is, so any is accepted.
class Hosts {
  public:
    explicit Hosts(std::vector<std::string> names);
    [[nodiscard]] bool knows(std::string_view host) const;
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    // The host part of a resource: everything before the first '/'.
    [[nodiscard]] static std::string_view host_of(std::string_view resource) noexcept;

  private:
    std::vector<std::string> names_;  // lower case, no port
};

}  // namespace mitral::cloud::hub
