// The identity registry of the hub: devices with symmetric keys. Modules, X.509 and twins get their
// own tables and files beside it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

struct Device {
    std::string id{};
    std::string generation{};
    std::string etag{};
    bool enabled = true;
    std::string status_reason{};  // ≤ 128 characters
    base::WallTime status_updated{};
    std::string auth_type = "sas";
    std::string primary_key{};  // base64
    std::string secondary_key{};
    bool edge = false;
};

class Registry {
  public:
    Registry(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    // Makes generation, etag and the keys that are empty. Fails with already_exists or, for a bad
    // id or key, invalid_argument.
    [[nodiscard]] base::Result<Device> create(Device device);
    // `etag` "*" matches any. Empty keys stay as they are. Fails with not_found, stale_etag,
    // invalid_argument.
    [[nodiscard]] base::Result<Device> update(Device device, std::string_view etag);
    [[nodiscard]] base::Status remove(std::string_view id, std::string_view etag);

    [[nodiscard]] base::Result<std::optional<Device>> find(std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Device>> list(std::size_t limit) const;  // by id
    [[nodiscard]] base::Result<std::size_t> count() const;
    [[nodiscard]] const base::Clock& clock() const noexcept { return clock_; }

  private:
    [[nodiscard]] base::Result<Device> existing(std::string_view id, std::string_view etag) const;
    [[nodiscard]] base::Status store(const Device& device);

    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::hub
