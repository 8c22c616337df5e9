#include "cloud/dps/enrollments.hpp"

#include "azure/ids.hpp"
#include "base/encoding.hpp"
#include "cloud/dps/initial_twin.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::dps {
namespace {

constexpr std::size_t min_key = 16;  // bytes
constexpr std::size_t max_key = 64;
constexpr std::string_view columns =
    "kind, id, device, etag, enabled, primary_key, secondary_key, created, updated, "
    "initial_twin";

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
            .primary_key = row.text(5),
            .secondary_key = row.text(6),
            .initial_twin = row.text(9),
            .created = {row.integer(7)},
            .updated = {row.integer(8)}};
}

bool is_key(std::string_view key) {
    const auto decoded = base::from_base64(key);
    return decoded && decoded->size() >= min_key && decoded->size() <= max_key;
}

}  // namespace

base::Result<Enrollment> Enrollments::put(Enrollment enrollment, std::string_view etag) {
    enrollment.id = stored_id(enrollment.kind, enrollment.id);
    MITRAL_TRY(const auto before, find(enrollment.kind, enrollment.id));
    if (!etag.empty() && etag != "*" && (!before || before->etag != etag))
        return base::fail(CloudError::stale_etag, "enrolment " + enrollment.id);
    if (enrollment.primary_key.empty())
        enrollment.primary_key = before ? before->primary_key : store::new_key();
    if (enrollment.secondary_key.empty())
        enrollment.secondary_key = before ? before->secondary_key : store::new_key();
    enrollment.updated = clock_.wall();
    enrollment.created = before ? before->created : enrollment.updated;
    enrollment.etag = store::new_etag();
    MITRAL_CHECK(check(enrollment));

    auto insert = database_.prepare("INSERT OR REPLACE INTO enrollment (" + std::string(columns) +
                                    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(name_of(enrollment.kind)).bind(enrollment.id).bind(enrollment.device);
    insert.bind(enrollment.etag).bind(std::int64_t{enrollment.enabled});
    insert.bind(enrollment.primary_key).bind(enrollment.secondary_key);
    insert.bind(enrollment.created.ms).bind(enrollment.updated.ms);
    MITRAL_TRY(const auto changed, insert.bind(enrollment.initial_twin).run());
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
    if (!is_key(enrollment.primary_key) || !is_key(enrollment.secondary_key))
        return base::fail(CloudError::invalid_argument, "a key is 16 to 64 bytes in base64");
    if (enrollment.kind == EnrollmentKind::individual)
        return {};
    MITRAL_TRY(const auto existing, groups());
    MITRAL_TRY(const auto known, find(enrollment.kind, enrollment.id));
    if (!known && existing.size() >= max_groups)
        return base::fail(CloudError::invalid_argument, "100 enrolment groups exist already");
    return {};
}

base::Status Enrollments::remove(EnrollmentKind kind, std::string_view id) {
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
    auto query = database_.prepare("SELECT " + std::string(columns) +
                                   " FROM enrollment WHERE kind = 'group' ORDER BY id");
    std::vector<Enrollment> found;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return found;
        found.push_back(read_row(query));
    }
}

}  // namespace mitral::cloud::dps
