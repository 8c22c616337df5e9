// The identity registry of the hub. Modules and twins have their own
// tables and files beside it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/hub/authentication.hpp"
#include "cloud/hub/modules.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

struct Device {
    std::string id{};
    std::string generation{};
    std::string etag{};
    bool enabled = true;
    std::string status_reason{};  // ≤ 128 characters
    base::WallTime status_updated{};
    Authentication authentication{};
    bool edge = false;
};

class Registry {
  public:
    Registry(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock), modules_(database) {}

    // Makes generation, etag and the keys that are empty. Fails with already_exists or, for a bad
    // id or authentication, invalid_argument.
    [[nodiscard]] base::Result<Device> create(Device device);
    // `etag` "*" matches any. Empty keys and thumbprints stay as they are. Fails with not_found,
    // stale_etag, invalid_argument.
    [[nodiscard]] base::Result<Device> update(Device device, std::string_view etag);
    [[nodiscard]] base::Status remove(std::string_view id, std::string_view etag);

    [[nodiscard]] base::Result<std::optional<Device>> find(std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Device>> list(std::size_t limit) const;  // by id
    [[nodiscard]] base::Result<std::size_t> count() const;
    [[nodiscard]] base::Result<std::size_t> count_enabled() const;
    [[nodiscard]] const base::Clock& clock() const noexcept { return clock_; }
    [[nodiscard]] Modules& modules() noexcept { return modules_; }
    [[nodiscard]] const Modules& modules() const noexcept { return modules_; }

  private:
    [[nodiscard]] base::Result<Device> existing(std::string_view id, std::string_view etag) const;
    [[nodiscard]] base::Status store(const Device& device);

    store::Database& database_;
    const base::Clock& clock_;
    Modules modules_;
};

}  // namespace mitral::cloud::hub
