#include "cloud/adu/operations.hpp"

#include "cloud/store/ids.hpp"

namespace mitral::cloud::adu {
namespace {

constexpr std::int64_t keep_ms = std::int64_t{7} * 86'400'000;
constexpr std::string_view columns =
    "SELECT id, status, provider, name, version, error_code, error_message, created, updated "
    "FROM adu_operation ";

Operation read_row(const store::Statement& row) {
    return {.id = row.text(0),
            .status = row.text(1),
            .update = {row.text(2), row.text(3), row.text(4)},
            .error_code = row.text(5),
            .error_message = row.text(6),
            .created = {row.integer(7)},
            .updated = {row.integer(8)}};
}

base::Status run(store::Statement& statement) {
    MITRAL_TRY(const auto changed, statement.run());
    (void)changed;
    return {};
}

}  // namespace

base::Result<Operation> Operations::begin() {
    const auto now = clock_.wall();
    auto erase = database_.prepare("DELETE FROM adu_operation WHERE updated < ?");
    MITRAL_CHECK(run(erase.bind(now.ms - keep_ms)));
    Operation operation{.id = store::new_tracking_id(), .created = now, .updated = now};
    auto insert = database_.prepare(
        "INSERT INTO adu_operation (id, status, provider, name, version, error_code, "
        "error_message, created, updated) VALUES (?, ?, '', '', '', '', '', ?, ?)");
    MITRAL_CHECK(run(insert.bind(operation.id).bind(operation.status).bind(now.ms).bind(now.ms)));
    return operation;
}

base::Status Operations::save(Operation& operation) {
    operation.updated = clock_.wall();
    auto update = database_.prepare(
        "UPDATE adu_operation SET status = ?, provider = ?, name = ?, version = ?, error_code = ?, "
        "error_message = ?, updated = ? WHERE id = ?");
    update.bind(operation.status).bind(operation.update.provider).bind(operation.update.name);
    update.bind(operation.update.version).bind(operation.error_code);
    update.bind(operation.error_message).bind(operation.updated.ms).bind(operation.id);
    return run(update);
}

base::Result<std::optional<Operation>> Operations::find(std::string_view id) const {
    auto query = database_.prepare(std::string(columns) + "WHERE id = ?");
    MITRAL_TRY(const bool found, query.bind(id).step());
    return found ? std::optional(read_row(query)) : std::nullopt;
}

base::Result<std::vector<Operation>> Operations::list() const {
    auto query = database_.prepare(std::string(columns) + "ORDER BY sequence DESC");
    std::vector<Operation> found;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return found;
        found.push_back(read_row(query));
    }
}

base::Status Operations::fail_unfinished() {
    auto update = database_.prepare(
        "UPDATE adu_operation SET status = 'Failed', error_code = 'Interrupted', "
        "error_message = 'the server ended; import again', updated = ? "
        "WHERE status IN ('NotStarted', 'Running')");
    return run(update.bind(clock_.wall().ms));
}

}  // namespace mitral::cloud::adu
