#include "cloud/dps/registrations.hpp"

#include "azure/ids.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::dps {
namespace {

constexpr std::string_view columns =
    "id, operation, status, hub, device, etag, substatus, enrollment_group, attestation, created, "
    "updated";

Registration read_row(const store::Statement& row) {
    return {.id = row.text(0),
            .operation = row.text(1),
            .assigned = row.text(2) == "assigned",
            .hub = row.text(3),
            .device = row.text(4),
            .etag = row.text(5),
            .substatus = row.text(6),
            .group = row.text(7),
            .attestation = row.text(8) == "x509" ? Attestation::x509 : Attestation::symmetric_key,
            .created = {row.integer(9)},
            .updated = {row.integer(10)}};
}

}  // namespace

base::Result<std::optional<Registration>> Registrations::find(std::string_view id) const {
    auto query =
        database_.prepare("SELECT " + std::string(columns) + " FROM registration WHERE id = ?");
    MITRAL_TRY(const bool found, query.bind(azure::normal_registration_id(id)).step());
    if (!found)
        return std::nullopt;
    return read_row(query);
}

base::Status Registrations::put(const Registration& registration) {
    auto insert = database_.prepare("INSERT OR REPLACE INTO registration (" + std::string(columns) +
                                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(registration.id).bind(registration.operation);
    insert.bind(std::string_view(registration.assigned ? "assigned" : "assigning"));
    insert.bind(registration.hub).bind(registration.device).bind(registration.etag);
    insert.bind(registration.substatus).bind(registration.group);
    insert.bind(name_of(registration.attestation));
    insert.bind(registration.created.ms).bind(registration.updated.ms);
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return {};
}

base::Status Registrations::remove(std::string_view id, std::string_view etag) {
    MITRAL_TRY(const auto known, find(id));
    if (!known)
        return base::fail(CloudError::not_found, "registration " + std::string(id));
    if (!etag.empty() && etag != "*" && etag != known->etag)
        return base::fail(CloudError::stale_etag, "registration " + std::string(id));
    auto statement = database_.prepare("DELETE FROM registration WHERE id = ?");
    MITRAL_TRY(const auto removed, statement.bind(known->id).run());
    (void)removed;
    return {};
}

base::Result<std::vector<Registration>> Registrations::page(std::string_view group,
                                                            std::string_view after,
                                                            std::size_t limit) const {
    auto query = database_.prepare("SELECT " + std::string(columns) +
                                   " FROM registration WHERE enrollment_group = ? AND id > ? "
                                   "ORDER BY id LIMIT ?");
    query.bind(group).bind(after).bind(static_cast<std::int64_t>(limit));
    std::vector<Registration> found;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return found;
        found.push_back(read_row(query));
    }
}

}  // namespace mitral::cloud::dps
