#include "cloud/hub/registry.hpp"

#include "azure/ids.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::size_t max_status_reason = 128;

constexpr std::string_view columns =
    "id, generation, etag, enabled, status_reason, status_updated, auth_type, primary_key, "
    "secondary_key, edge, primary_thumbprint, secondary_thumbprint";

Device read_row(const store::Statement& row) {
    return {.id = row.text(0),
            .generation = row.text(1),
            .etag = row.text(2),
            .enabled = row.integer(3) != 0,
            .status_reason = row.text(4),
            .status_updated = {row.integer(5)},
            .authentication = {.type = row.text(6),
                               .primary_key = row.text(7),
                               .secondary_key = row.text(8),
                               .primary_thumbprint = row.text(10),
                               .secondary_thumbprint = row.text(11)},
            .edge = row.integer(9) != 0};
}

base::Status check(const Device& device) {
    if (const auto id = azure::check_device_id(device.id); !id)
        return base::fail(CloudError::invalid_argument, id.error().context);
    if (device.status_reason.size() > max_status_reason)
        return base::fail(CloudError::invalid_argument,
                          "statusReason is longer than 128 characters");
    return {};
}

}  // namespace

base::Result<Device> Registry::create(Device device) {
    MITRAL_TRY(const auto known, find(device.id));
    if (known)
        return base::fail(CloudError::already_exists, "device " + device.id);
    MITRAL_TRY(device.authentication, completed(std::move(device.authentication), nullptr));
    device.generation = store::new_generation();
    device.etag = store::new_etag();
    device.status_updated = clock_.wall();
    MITRAL_CHECK(check(device));
    MITRAL_CHECK(store(device));
    return device;
}

base::Result<Device> Registry::update(Device device, std::string_view etag) {
    MITRAL_TRY(const auto before, existing(device.id, etag));
    MITRAL_TRY(device.authentication,
               completed(std::move(device.authentication), &before.authentication));
    device.generation = before.generation;
    device.etag = store::new_etag();
    device.status_updated =
        device.enabled == before.enabled ? before.status_updated : clock_.wall();
    MITRAL_CHECK(check(device));
    MITRAL_CHECK(store(device));
    return device;
}

base::Status Registry::remove(std::string_view id, std::string_view etag) {
    MITRAL_TRY(const auto before, existing(id, etag));
    MITRAL_TRY(const auto gone,
               database_.prepare("DELETE FROM device WHERE id = ?").bind(before.id).run());
    (void)gone;
    return {};
}

base::Result<Device> Registry::existing(std::string_view id, std::string_view etag) const {
    MITRAL_TRY(auto device, find(id));
    if (!device)
        return base::fail(CloudError::not_found, "device " + std::string(id));
    if (etag != "*" && etag != device->etag)
        return base::fail(CloudError::stale_etag, "device " + std::string(id));
    return *std::move(device);
}

base::Result<std::optional<Device>> Registry::find(std::string_view id) const {
    auto query = database_.prepare("SELECT " + std::string(columns) + " FROM device WHERE id = ?");
    MITRAL_TRY(const bool found, query.bind(id).step());
    if (!found)
        return std::nullopt;
    return read_row(query);
}

base::Result<std::vector<Device>> Registry::list(std::size_t limit) const {
    auto query =
        database_.prepare("SELECT " + std::string(columns) + " FROM device ORDER BY id LIMIT ?");
    query.bind(static_cast<std::int64_t>(limit));
    std::vector<Device> devices;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return devices;
        devices.push_back(read_row(query));
    }
}

base::Result<std::size_t> Registry::count() const {
    auto query = database_.prepare("SELECT count(*) FROM device");
    MITRAL_TRY(const bool row, query.step());
    return row ? static_cast<std::size_t>(query.integer(0)) : 0;
}

base::Result<std::size_t> Registry::count_enabled() const {
    auto query = database_.prepare("SELECT count(*) FROM device WHERE enabled <> 0");
    MITRAL_TRY(const bool row, query.step());
    return row ? static_cast<std::size_t>(query.integer(0)) : 0;
}

base::Status Registry::store(const Device& device) {
    auto insert = database_.prepare("INSERT OR REPLACE INTO device (" + std::string(columns) +
                                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(device.id).bind(device.generation).bind(device.etag);
    insert.bind(std::int64_t{device.enabled})
        .bind(device.status_reason)
        .bind(device.status_updated.ms);
    const auto& proof = device.authentication;
    insert.bind(proof.type).bind(proof.primary_key).bind(proof.secondary_key);
    insert.bind(std::int64_t{device.edge});
    insert.bind(proof.primary_thumbprint).bind(proof.secondary_thumbprint);
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::hub
