#include "cloud/adu/board.hpp"

#include "cloud/adu/rows.hpp"

namespace mitral::cloud::adu {
namespace {

// Classes by their state, then devices by theirs.
constexpr std::string_view standings =
    "SELECT d.grp, d.id, d.provider, d.name, d.version, d.starts, "
    "(SELECT count(*) FROM adu_subgroup_deployment s WHERE s.grp = d.grp AND s.deployment = d.id), "
    "(SELECT count(*) FROM adu_subgroup_deployment s WHERE s.grp = d.grp AND s.deployment = d.id "
    " AND s.state = 'Active'), "
    "(SELECT count(*) FROM adu_subgroup_deployment s WHERE s.grp = d.grp AND s.deployment = d.id "
    " AND s.state = 'Canceled'), "
    "sum(x.state = 'InProgress'), sum(x.state = 'Succeeded'), sum(x.state = 'Failed'), "
    "sum(x.state = 'Canceled') "
    "FROM (SELECT * FROM adu_deployment ORDER BY sequence DESC LIMIT ?) d "
    "LEFT JOIN adu_device_state x ON x.grp = d.grp AND x.deployment = d.id "
    "GROUP BY d.sequence ORDER BY d.sequence DESC";

SubgroupState state_of(std::int64_t classes, std::int64_t active, std::int64_t canceled) {
    if (active > 0)
        return SubgroupState::active;
    return classes > 0 && canceled == classes ? SubgroupState::canceled : SubgroupState::inactive;
}

Standing read_standing(const store::Statement& row) {
    return {.deployment = {.group = row.text(0),
                           .id = row.text(1),
                           .update = {row.text(2), row.text(3), row.text(4)},
                           .starts = {row.integer(5)}},
            .state = state_of(row.integer(6), row.integer(7), row.integer(8)),
            .reaches_anybody = row.integer(6) > 0,
            .in_progress = row.integer(9),
            .succeeded = row.integer(10),
            .failed = row.integer(11),
            .canceled = row.integer(12)};
}

}  // namespace

base::Result<std::vector<Standing>> newest_standings(const store::Database& database,
                                                     std::size_t limit) {
    auto query = database.prepare(std::string(standings));
    query.bind(static_cast<std::int64_t>(limit));
    return read_rows<Standing>(query, read_standing);
}

}  // namespace mitral::cloud::adu
