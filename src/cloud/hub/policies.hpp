// Shared access policies: named keys with rights, one set for the hub and one for DPS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/store/database.hpp"

namespace mitral::cloud::hub {

enum Right : std::uint32_t {
    registry_read = 1,
    registry_write = 2,
    service_connect = 4,
    device_connect = 8,
    enrollment_read = 16,
    enrollment_write = 32,
    device_update = 64,
};

inline constexpr std::string_view hub_service = "hub";
inline constexpr std::string_view dps_service = "dps";
inline constexpr std::string_view update_service = "update";  // Device Update

struct Policy {
    std::string name{};
    std::uint32_t rights = 0;   // of Right
    std::string primary_key{};  // base64
    std::string secondary_key{};
};

class Policies {
  public:
    explicit Policies(store::Database& database) : database_(database) {}

    // Azure's default policies with fresh keys, where they are missing.
    [[nodiscard]] base::Status create_missing();
    [[nodiscard]] base::Result<std::optional<Policy>> find(std::string_view service,
                                                           std::string_view name) const;
    [[nodiscard]] base::Result<std::vector<Policy>> list(std::string_view service) const;

  private:
    store::Database& database_;
};

}  // namespace mitral::cloud::hub
