#include "cloud/hub/modules.hpp"

#include "azure/ids.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::string_view columns =
    "device, id, generation, etag, managed_by, primary_key, secondary_key, auth_type, "
    "primary_thumbprint, secondary_thumbprint";
constexpr std::size_t max_managed_by = 128;

Module read_row(const store::Statement& row) {
    return {.device = row.text(0),
            .id = row.text(1),
            .generation = row.text(2),
            .etag = row.text(3),
            .managed_by = row.text(4),
            .authentication = {.type = row.text(7),
                               .primary_key = row.text(5),
                               .secondary_key = row.text(6),
                               .primary_thumbprint = row.text(8),
                               .secondary_thumbprint = row.text(9)}};
}

base::Status check(const Module& module) {
    if (const auto id = azure::check_device_id(module.id); !id)
        return base::fail(CloudError::invalid_argument, id.error().context);
    if (module.managed_by.size() > max_managed_by)
        return base::fail(CloudError::invalid_argument, "managedBy is longer than 128 characters");
    return {};
}

}  // namespace

base::Result<Module> Modules::create(Module module) {
    auto device = database_.prepare("SELECT 1 FROM device WHERE id = ?");
    MITRAL_TRY(const bool known, device.bind(module.device).step());
    if (!known)
        return base::fail(CloudError::not_found, "device " + module.device);
    MITRAL_TRY(const auto others, list(module.device));
    for (const auto& other : others)
        if (other.id == module.id)
            return base::fail(CloudError::already_exists, "module " + module.id);
    if (others.size() >= max_of_a_device)
        return base::fail(CloudError::throttled, "a device has at most 50 modules");
    MITRAL_TRY(module.authentication, completed(std::move(module.authentication), nullptr));
    module.generation = store::new_generation();
    module.etag = store::new_etag();
    MITRAL_CHECK(check(module));
    MITRAL_CHECK(store(module));
    return module;
}

base::Result<Module> Modules::update(Module module, std::string_view etag) {
    MITRAL_TRY(const auto before, existing(module.device, module.id, etag));
    MITRAL_TRY(module.authentication,
               completed(std::move(module.authentication), &before.authentication));
    module.generation = before.generation;
    module.etag = store::new_etag();
    MITRAL_CHECK(check(module));
    MITRAL_CHECK(store(module));
    return module;
}

base::Status Modules::remove(std::string_view device, std::string_view id, std::string_view etag) {
    MITRAL_TRY(const auto before, existing(device, id, etag));
    auto statement = database_.prepare("DELETE FROM module WHERE device = ? AND id = ?");
    MITRAL_TRY(const auto gone, statement.bind(before.device).bind(before.id).run());
    (void)gone;
    return {};
}

base::Result<Module> Modules::existing(std::string_view device, std::string_view id,
                                       std::string_view etag) const {
    MITRAL_TRY(auto module, find(device, id));
    if (!module)
        return base::fail(CloudError::not_found, "module " + std::string(id));
    if (etag != "*" && etag != module->etag)
        return base::fail(CloudError::stale_etag, "module " + std::string(id));
    return *std::move(module);
}

base::Result<std::optional<Module>> Modules::find(std::string_view device,
                                                  std::string_view id) const {
    auto query = database_.prepare("SELECT " + std::string(columns) +
                                   " FROM module WHERE device = ? AND id = ?");
    MITRAL_TRY(const bool found, query.bind(device).bind(id).step());
    if (!found)
        return std::nullopt;
    return read_row(query);
}

base::Result<std::vector<Module>> Modules::list(std::string_view device) const {
    auto query = database_.prepare("SELECT " + std::string(columns) +
                                   " FROM module WHERE device = ? ORDER BY id");
    query.bind(device);
    std::vector<Module> modules;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return modules;
        modules.push_back(read_row(query));
    }
}

base::Status Modules::store(const Module& module) {
    auto insert = database_.prepare("INSERT OR REPLACE INTO module (" + std::string(columns) +
                                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(module.device).bind(module.id).bind(module.generation).bind(module.etag);
    const auto& proof = module.authentication;
    insert.bind(module.managed_by).bind(proof.primary_key).bind(proof.secondary_key);
    insert.bind(proof.type).bind(proof.primary_thumbprint).bind(proof.secondary_thumbprint);
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::hub
