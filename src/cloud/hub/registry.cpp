#include "cloud/hub/registry.hpp"

#include "azure/ids.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::size_t max_status_reason = 128;
constexpr std::size_t min_key = 16;  // bytes
constexpr std::size_t max_key = 64;

constexpr std::string_view columns =
    "id, generation, etag, enabled, status_reason, status_updated, auth_type, primary_key, "
    "secondary_key, edge";

Device read_row(const store::Statement& row) {
    return {.id = row.text(0),
            .generation = row.text(1),
            .etag = row.text(2),
            .enabled = row.integer(3) != 0,
            .status_reason = row.text(4),
            .status_updated = {row.integer(5)},
            .auth_type = row.text(6),
            .primary_key = row.text(7),
            .secondary_key = row.text(8),
            .edge = row.integer(9) != 0};
}

base::Status check(const Device& device) {
    if (const auto id = azure::check_device_id(device.id); !id)
        return base::fail(CloudError::invalid_argument, id.error().context);
    if (device.status_reason.size() > max_status_reason)
        return base::fail(CloudError::invalid_argument,
                          "statusReason is longer than 128 characters");
    if (device.auth_type != "sas")
        return base::fail(CloudError::invalid_argument,
                          "authentication type '" + device.auth_type + "' is not supported yet");
    MITRAL_CHECK(check_key(device.primary_key));
    return check_key(device.secondary_key);
}

}  // namespace

base::Status check_key(std::string_view key) {
    const auto decoded = base::from_base64(key);
    if (!decoded || decoded->size() < min_key || decoded->size() > max_key)
        return base::fail(CloudError::invalid_argument, "a key is 16 to 64 bytes in base64");
    return {};
}

base::Result<Device> Registry::create(Device device) {
    MITRAL_TRY(const auto known, find(device.id));
    if (known)
        return base::fail(CloudError::already_exists, "device " + device.id);
    if (device.primary_key.empty())
        device.primary_key = store::new_key();
    if (device.secondary_key.empty())
        device.secondary_key = store::new_key();
    device.generation = store::new_generation();
    device.etag = store::new_etag();
    device.status_updated = clock_.wall();
    MITRAL_CHECK(check(device));
    MITRAL_CHECK(store(device));
    return device;
}

base::Result<Device> Registry::update(Device device, std::string_view etag) {
    MITRAL_TRY(const auto before, existing(device.id, etag));
    if (device.primary_key.empty())
        device.primary_key = before.primary_key;
    if (device.secondary_key.empty())
        device.secondary_key = before.secondary_key;
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
                                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(device.id).bind(device.generation).bind(device.etag);
    insert.bind(std::int64_t{device.enabled})
        .bind(device.status_reason)
        .bind(device.status_updated.ms);
    insert.bind(device.auth_type).bind(device.primary_key).bind(device.secondary_key);
    insert.bind(std::int64_t{device.edge});
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::hub
