#include "cloud/hub/twins.hpp"

#include <array>

#include "base/encoding.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

// Who has no row of its own has the twin that is new with every identity.
constexpr std::string_view columns =
    "d.id, d.etag, d.enabled, d.status_reason, d.status_updated, d.auth_type, d.edge, "
    "ifnull(t.etag, 1), ifnull(t.version, 2), t.model, ifnull(t.tags, '{}'), "
    "ifnull(t.desired, '{}'), t.desired_metadata, ifnull(t.desired_version, 1), "
    "ifnull(t.reported, '{}'), t.reported_metadata, ifnull(t.reported_version, 1), ";

std::string select(std::string_view rest) {
    return "SELECT " + std::string(columns) + std::string(rest);
}

Twin read_row(const store::Statement& row) {
    return {.device = row.text(0),
            .module = row.text(17),
            .device_etag = row.text(1),
            .enabled = row.integer(2) != 0,
            .status_reason = row.text(3),
            .status_updated = {row.integer(4)},
            .auth_type = row.text(5),
            .primary_thumbprint = row.text(18),
            .secondary_thumbprint = row.text(19),
            .waiting_messages = row.integer(20),
            .edge = row.integer(6) != 0,
            .revision = row.integer(7),
            .version = row.integer(8),
            .model = row.text(9),
            .tags = row.text(10),
            .desired = {row.text(11), row.text(12), row.integer(13)},
            .reported = {row.text(14), row.text(15), row.integer(16)}};
}

constexpr std::string_view all_devices =
    "'', d.primary_thumbprint, d.secondary_thumbprint, "
    "(SELECT count(*) FROM devicebound q WHERE q.device = d.id) "
    "FROM device d LEFT JOIN twin t ON t.device = d.id AND t.module = '' ";
constexpr std::string_view all_modules =
    "m.id, m.primary_thumbprint, m.secondary_thumbprint, 0 "
    "FROM module m JOIN device d ON d.id = m.device "
    "LEFT JOIN twin t ON t.device = m.device AND t.module = m.id ";

using Change = base::Result<TwinStep> (*)(TwinPart, const TwinSection&, std::string_view,
                                          base::WallTime);

}  // namespace

std::string Twin::etag() const {
    std::array<std::uint8_t, 8> big_endian{};
    for (std::size_t i = 0; i < big_endian.size(); ++i)
        big_endian[i] = static_cast<std::uint8_t>(revision >> (56 - 8 * i));
    return base::to_base64(big_endian);
}

base::Status check_change(const TwinChange& change) {
    for (const auto& [part, text] :
         {std::pair(TwinPart::tags, change.tags), std::pair(TwinPart::desired, change.desired)})
        if (text) {
            MITRAL_TRY(const auto step, patched(part, {}, *text, {}));
            (void)step;
        }
    return {};
}

base::Result<Twin> Twins::find(TwinName name) const {
    auto query = name.module.empty()
                     ? database_.prepare(select(all_devices) + "WHERE d.id = ?")
                     : database_.prepare(select(all_modules) + "WHERE m.device = ? AND m.id = ?");
    query.bind(name.device);
    if (!name.module.empty())
        query.bind(name.module);
    MITRAL_TRY(const bool found, query.step());
    if (found)
        return read_row(query);
    return base::fail(
        CloudError::not_found,
        std::string(name.device) + (name.module.empty() ? "" : "/" + std::string(name.module)));
}

base::Result<TwinUpdate> Twins::update(TwinName name, const TwinChange& change,
                                       std::string_view etag) {
    MITRAL_TRY(auto twin, find(name));
    if (etag != "*" && etag != twin.etag())
        return base::fail(CloudError::stale_etag, "twin of " + twin.device);
    const Change apply = change.replace ? replaced : patched;
    TwinUpdate update;
    if (change.tags) {
        MITRAL_TRY(auto step,
                   apply(TwinPart::tags, {.values = twin.tags}, *change.tags, clock_.wall()));
        twin.tags = std::move(step.after.values);
    }
    if (change.desired) {
        MITRAL_TRY(auto step,
                   apply(TwinPart::desired, twin.desired, *change.desired, clock_.wall()));
        twin.desired = std::move(step.after);
        update.pushed = std::move(step.patch);
    }
    if (change.tags || change.desired) {
        ++twin.revision;
        ++twin.version;
        MITRAL_CHECK(store(twin));
        tell(twin);
    }
    update.twin = std::move(twin);
    return update;
}

base::Result<std::int64_t> Twins::report(TwinName name, std::string_view patch) {
    MITRAL_TRY(auto twin, find(name));
    MITRAL_TRY(auto step, patched(TwinPart::reported, twin.reported, patch, clock_.wall()));
    twin.reported = std::move(step.after);
    ++twin.version;
    MITRAL_CHECK(store(twin));
    tell(twin);
    return twin.reported.version;
}

base::Status Twins::note_model(TwinName name, std::string_view model) {
    MITRAL_TRY(auto twin, find(name));
    if (twin.model == model)
        return {};
    twin.model = model;
    return store(twin);
}

base::Result<std::vector<Twin>> Twins::page(Of kind, TwinName after, std::size_t limit) const {
    auto query =
        kind == Of::devices
            ? database_.prepare(select(all_devices) + "WHERE d.id > ? ORDER BY d.id LIMIT ?")
            : database_.prepare(select(all_modules) +
                                "WHERE (m.device, m.id) > (?, ?) "
                                "ORDER BY m.device, m.id LIMIT ?");
    query.bind(after.device);
    if (kind == Of::modules)
        query.bind(after.module);
    query.bind(static_cast<std::int64_t>(limit));
    std::vector<Twin> twins;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return twins;
        twins.push_back(read_row(query));
    }
}

base::Status Twins::store(const Twin& twin) {
    auto insert = database_.prepare(
        "INSERT OR REPLACE INTO twin (device, module, etag, version, model, tags, desired, "
        "desired_metadata, desired_version, reported, reported_metadata, reported_version) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(twin.device).bind(twin.module).bind(twin.revision).bind(twin.version);
    insert.bind(twin.model).bind(twin.tags);
    for (const auto* section : {&twin.desired, &twin.reported})
        insert.bind(section->values).bind(section->metadata).bind(section->version);
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::hub
