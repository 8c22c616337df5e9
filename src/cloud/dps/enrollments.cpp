#include "cloud/dps/enrollments.hpp"

#include <algorithm>
#include <array>

#include "azure/ids.hpp"
#include "cloud/dps/initial_twin.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/authentication.hpp"
#include "cloud/store/ids.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud::dps {
namespace {

constexpr std::string_view columns =
    "kind, id, device, etag, enabled, primary_key, secondary_key, created, updated, "
    "initial_twin, attestation, primary_certificate, secondary_certificate, primary_reference, "
    "secondary_reference, updates_hub_assignment, migrates_device_data, allocation, hubs, edge";
constexpr std::array<std::string_view, 3> allocations{"hashed", "geoLatency", "static"};
constexpr std::size_t max_hubs = 100;
constexpr char hub_separator = ',';

std::string joined(const std::vector<std::string>& hubs) {
    std::string text;
    for (const auto& hub : hubs)
        text.append(text.empty() ? "" : std::string(1, hub_separator)).append(hub);
    return text;
}

std::vector<std::string> separated(std::string_view text) {
    std::vector<std::string> hubs;
    while (!text.empty()) {
        const auto end = std::min(text.find(hub_separator), text.size());
        hubs.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return hubs;
}

std::string_view name_of(EnrollmentKind kind) {
    return kind == EnrollmentKind::group ? "group" : "individual";
}

std::string stored_id(EnrollmentKind kind, std::string_view id) {
    return kind == EnrollmentKind::group ? std::string(id) : azure::normal_registration_id(id);
}

Enrollment read_row(const store::Statement& row) {
    return {.kind = row.text(0) == "group" ? EnrollmentKind::group : EnrollmentKind::individual,
            .id = row.text(1),
            .device = row.text(2),
            .etag = row.text(3),
            .enabled = row.integer(4) != 0,
            .attestation = row.text(10) == name_of(Attestation::x509) ? Attestation::x509
                                                                      : Attestation::symmetric_key,
            .primary_key = row.text(5),
            .secondary_key = row.text(6),
            .primary_certificate = row.text(11),
            .secondary_certificate = row.text(12),
            .primary_reference = row.text(13),
            .secondary_reference = row.text(14),
            .initial_twin = row.text(9),
            .updates_hub_assignment = row.integer(15) != 0,
            .migrates_device_data = row.integer(16) != 0,
            .allocation = row.text(17),
            .hubs = separated(row.text(18)),
            .edge = row.integer(19) != 0,
            .created = {row.integer(7)},
            .updated = {row.integer(8)}};
}

using Field = std::string Enrollment::*;

void drop(Enrollment& enrollment, std::initializer_list<Field> fields) {
    for (const auto field : fields)
        (enrollment.*field).clear();
}

void complete_keys(Enrollment& wanted, const Enrollment* before) {
    drop(wanted, {&Enrollment::primary_certificate, &Enrollment::secondary_certificate,
                  &Enrollment::primary_reference, &Enrollment::secondary_reference});
    for (const auto key : {&Enrollment::primary_key, &Enrollment::secondary_key}) {
        if ((wanted.*key).empty() && before != nullptr)
            wanted.*key = before->*key;
        if ((wanted.*key).empty())
            wanted.*key = store::new_key();
    }
}

// Who reads an entry sees the facts of its certificates, not themselves: written back they stay.
void complete_certificates(Enrollment& wanted, const Enrollment* before) {
    drop(wanted, {&Enrollment::primary_key, &Enrollment::secondary_key});
    if (before == nullptr || !wanted.primary_reference.empty())
        return;
    if (wanted.primary_certificate.empty()) {
        wanted.primary_certificate = before->primary_certificate;
        if (wanted.secondary_certificate.empty())
            wanted.secondary_certificate = before->secondary_certificate;
    }
}

base::Status normalise(std::string& certificate, EnrollmentKind kind) {
    if (certificate.empty())
        return {};
    MITRAL_TRY(auto facts, tls::read_certificate(certificate));
    if (kind == EnrollmentKind::group && !facts.is_authority)
        return base::fail(CloudError::invalid_argument,
                          "a group takes certificates of authorities (basic constraints)");
    certificate = std::move(facts.pem);
    return {};
}

base::Status check_allocation(const Enrollment& enrollment) {
    if (enrollment.allocation == "custom")
        return base::fail(CloudError::not_supported, "Custom allocation policy");
    if (std::find(allocations.begin(), allocations.end(), enrollment.allocation) ==
        allocations.end())
        return base::fail(CloudError::invalid_argument,
                          "allocationPolicy is hashed, geoLatency or static");
    const auto bad = [](const std::string& hub) {
        return hub.empty() || hub.find(hub_separator) != std::string::npos;
    };
    if (enrollment.hubs.size() > max_hubs ||
        std::any_of(enrollment.hubs.begin(), enrollment.hubs.end(), bad))
        return base::fail(CloudError::invalid_argument, "iotHubs are at most 100 host names");
    return {};
}

base::Status check_certificates(const Enrollment& enrollment) {
    const bool refers = !enrollment.primary_reference.empty();
    if (refers && enrollment.kind == EnrollmentKind::individual)
        return base::fail(CloudError::invalid_argument, "caReferences are for groups");
    if (refers == !enrollment.primary_certificate.empty())
        return base::fail(CloudError::invalid_argument,
                          "x509 takes a primary certificate or a primary reference");
    return {};
}

}  // namespace

base::Result<Enrollment> Enrollments::put(Enrollment enrollment, std::string_view etag) {
    enrollment.id = stored_id(enrollment.kind, enrollment.id);
    MITRAL_TRY(const auto before, find(enrollment.kind, enrollment.id));
    if (!etag.empty() && etag != "*" && (!before || before->etag != etag))
        return base::fail(CloudError::stale_etag, "enrolment " + enrollment.id);
    const auto* same = before && before->attestation == enrollment.attestation ? &*before : nullptr;
    if (enrollment.attestation == Attestation::x509)
        complete_certificates(enrollment, same);
    else
        complete_keys(enrollment, same);
    MITRAL_CHECK(normalise(enrollment.primary_certificate, enrollment.kind));
    MITRAL_CHECK(normalise(enrollment.secondary_certificate, enrollment.kind));
    enrollment.updated = clock_.wall();
    enrollment.created = before ? before->created : enrollment.updated;
    enrollment.etag = store::new_etag();
    MITRAL_CHECK(check(enrollment));

    auto insert =
        database_.prepare("INSERT OR REPLACE INTO enrollment (" + std::string(columns) +
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(name_of(enrollment.kind)).bind(enrollment.id).bind(enrollment.device);
    insert.bind(enrollment.etag).bind(std::int64_t{enrollment.enabled});
    insert.bind(enrollment.primary_key).bind(enrollment.secondary_key);
    insert.bind(enrollment.created.ms).bind(enrollment.updated.ms);
    insert.bind(enrollment.initial_twin);
    insert.bind(name_of(enrollment.attestation));
    insert.bind(enrollment.primary_certificate).bind(enrollment.secondary_certificate);
    insert.bind(enrollment.primary_reference).bind(enrollment.secondary_reference);
    insert.bind(std::int64_t{enrollment.updates_hub_assignment});
    insert.bind(std::int64_t{enrollment.migrates_device_data});
    insert.bind(enrollment.allocation).bind(joined(enrollment.hubs));
    insert.bind(std::int64_t{enrollment.edge});
    MITRAL_TRY(const auto changed, insert.run());
    (void)changed;
    return enrollment;
}

base::Status Enrollments::check(const Enrollment& enrollment) const {
    const auto name = azure::check_registration_id(enrollment.id);
    if (!name)
        return base::fail(CloudError::invalid_argument, name.error().context);
    if (!enrollment.device.empty() && !azure::check_device_id(enrollment.device))
        return base::fail(CloudError::invalid_argument, "bad device id");
    MITRAL_TRY(const auto twin, read_initial_twin(enrollment.initial_twin));
    MITRAL_CHECK(hub::check_change(twin));
    MITRAL_CHECK(check_allocation(enrollment));
    if (enrollment.attestation == Attestation::x509) {
        MITRAL_CHECK(check_certificates(enrollment));
    } else {
        MITRAL_CHECK(hub::check_key(enrollment.primary_key));
        MITRAL_CHECK(hub::check_key(enrollment.secondary_key));
    }
    return enrollment.kind == EnrollmentKind::group ? check_number_of_groups(enrollment)
                                                    : base::Status();
}

base::Status Enrollments::check_number_of_groups(const Enrollment& enrollment) const {
    MITRAL_TRY(const auto existing, groups());
    MITRAL_TRY(const auto known, find(enrollment.kind, enrollment.id));
    if (!known && existing.size() >= max_groups)
        return base::fail(CloudError::invalid_argument, "100 enrolment groups exist already");
    return {};
}

base::Status Enrollments::remove(EnrollmentKind kind, std::string_view id, std::string_view etag) {
    MITRAL_TRY(const auto known, find(kind, id));
    if (known && !etag.empty() && etag != "*" && etag != known->etag)
        return base::fail(CloudError::stale_etag, "enrolment " + std::string(id));
    auto statement = database_.prepare("DELETE FROM enrollment WHERE kind = ? AND id = ?");
    MITRAL_TRY(const auto removed, statement.bind(name_of(kind)).bind(stored_id(kind, id)).run());
    if (removed == 0)
        return base::fail(CloudError::not_found, "enrolment " + std::string(id));
    return {};
}

base::Result<std::optional<Enrollment>> Enrollments::find(EnrollmentKind kind,
                                                          std::string_view id) const {
    auto query = database_.prepare("SELECT " + std::string(columns) +
                                   " FROM enrollment WHERE kind = ? AND id = ?");
    MITRAL_TRY(const bool found, query.bind(name_of(kind)).bind(stored_id(kind, id)).step());
    if (!found)
        return std::nullopt;
    return read_row(query);
}

base::Result<std::vector<Enrollment>> Enrollments::groups() const {
    return page(EnrollmentKind::group, {}, max_groups);
}

base::Result<std::vector<Enrollment>> Enrollments::page(EnrollmentKind kind, std::string_view after,
                                                        std::size_t limit) const {
    auto query =
        database_.prepare("SELECT " + std::string(columns) +
                          " FROM enrollment WHERE kind = ? AND id > ? ORDER BY id LIMIT ?");
    query.bind(name_of(kind)).bind(after).bind(static_cast<std::int64_t>(limit));
    std::vector<Enrollment> found;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return found;
        found.push_back(read_row(query));
    }
}

}  // namespace mitral::cloud::dps
