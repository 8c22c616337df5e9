#include "cloud/hub/policies.hpp"

#include <array>

#include "cloud/store/ids.hpp"

namespace mitral::cloud::hub {
namespace {

struct Default {
    std::string_view service;
    std::string_view name;
    std::uint32_t rights;
};

constexpr std::array defaults{
    Default{hub_service, "iothubowner",
            registry_read | registry_write | service_connect | device_connect},
    Default{hub_service, "service", service_connect},
    Default{hub_service, "device", device_connect},
    Default{hub_service, "registryRead", registry_read},
    Default{hub_service, "registryReadWrite", registry_read | registry_write},
    Default{dps_service, "provisioningserviceowner", enrollment_read | enrollment_write},
    Default{update_service, "deviceUpdate", device_update},
};

Policy read_row(const store::Statement& row) {
    return {.name = row.text(0),
            .rights = static_cast<std::uint32_t>(row.integer(1)),
            .primary_key = row.text(2),
            .secondary_key = row.text(3)};
}

}  // namespace

base::Status Policies::create_missing() {
    for (const auto& entry : defaults) {
        auto insert = database_.prepare(
            "INSERT OR IGNORE INTO policy (service, name, rights, primary_key, secondary_key) "
            "VALUES (?, ?, ?, ?, ?)");
        insert.bind(entry.service).bind(entry.name).bind(std::int64_t{entry.rights});
        MITRAL_TRY(const auto changed, insert.bind(store::new_key()).bind(store::new_key()).run());
        (void)changed;
    }
    return {};
}

base::Result<std::optional<Policy>> Policies::find(std::string_view service,
                                                   std::string_view name) const {
    auto query = database_.prepare(
        "SELECT name, rights, primary_key, secondary_key FROM policy "
        "WHERE service = ? AND name = ?");
    MITRAL_TRY(const bool found, query.bind(service).bind(name).step());
    if (!found)
        return std::nullopt;
    return read_row(query);
}

base::Result<std::vector<Policy>> Policies::list(std::string_view service) const {
    auto query = database_.prepare(
        "SELECT name, rights, primary_key, secondary_key FROM policy "
        "WHERE service = ? ORDER BY name");
    query.bind(service);
    std::vector<Policy> policies;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return policies;
        policies.push_back(read_row(query));
    }
}

}  // namespace mitral::cloud::hub
