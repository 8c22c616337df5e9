#include "cloud/jobs/store.hpp"

#include "cloud/error.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::jobs {
namespace {

constexpr std::string_view columns =
    "SELECT id, type, status, condition, body, created, starts, ended, max_seconds, reason, "
    "devices, succeeded, failed FROM job ";

Job read_row(const store::Statement& row) {
    return {
        .id = row.text(0),
        .type = type_from(row.text(1)),
        .status = status_from(row.text(2)),
        .condition = row.text(3),
        .body = row.text(4),
        .created = {row.integer(5)},
        .starts = {row.integer(6)},
        .ended = {row.integer(7)},
        .max_time = base::Seconds(row.integer(8)),
        .reason = row.text(9),
        .counts = {
            .devices = row.integer(10), .succeeded = row.integer(11), .failed = row.integer(12)}};
}

base::Status run(store::Statement& statement) {
    MITRAL_TRY(const auto changed, statement.run());
    (void)changed;
    return {};
}

}  // namespace

base::Status Store::add(const Job& job) {
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    auto known = database_.prepare("SELECT 1 FROM job WHERE id = ?");
    MITRAL_TRY(const bool exists, known.bind(job.id).step());
    if (exists)
        return base::fail(CloudError::already_exists, "job " + job.id);
    MITRAL_CHECK(make_room(job.created));
    auto insert =
        database_.prepare("INSERT INTO job VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, '', 0, 0, 0)");
    insert.bind(job.id).bind(to_text(job.type)).bind(to_text(job.status)).bind(job.condition);
    insert.bind(job.body).bind(job.created.ms).bind(job.starts.ms).bind(job.max_time.count());
    MITRAL_CHECK(run(insert));
    return transaction.commit();
}

base::Status Store::make_room(base::WallTime now) {
    auto old = database_.prepare("DELETE FROM job WHERE ended > 0 AND ended < ?");
    old.bind(now.ms - base::Milliseconds(job_life).count());
    MITRAL_CHECK(run(old));
    auto count = database_.prepare("SELECT count(*) FROM job");
    MITRAL_TRY(const bool row, count.step());
    if (!row || count.integer(0) < static_cast<std::int64_t>(max_jobs))
        return {};
    auto oldest = database_.prepare(
        "DELETE FROM job WHERE id = (SELECT id FROM job WHERE ended > 0 ORDER BY ended LIMIT 1)");
    MITRAL_TRY(const auto gone, oldest.run());
    if (gone == 0)
        return base::fail(CloudError::throttled, "1000 jobs wait or run");
    return {};
}

base::Result<Job> Store::find(std::string_view id) const {
    MITRAL_TRY(
        auto found,
        read_all(std::move(database_.prepare(std::string(columns) + "WHERE id = ?").bind(id))));
    if (found.empty())
        return base::fail(CloudError::not_found, "job " + std::string(id));
    return std::move(found.front());
}

base::Result<std::vector<Job>> Store::page(std::string_view type, std::string_view status,
                                           std::string_view after, std::size_t limit) const {
    auto query = database_.prepare(std::string(columns) +
                                   "WHERE id > ? AND (?2 = '' OR lower(type) = lower(?2)) AND "
                                   "(?3 = '' OR status = lower(?3)) ORDER BY id LIMIT ?4");
    query.bind(after).bind(type).bind(status).bind(static_cast<std::int64_t>(limit));
    return read_all(std::move(query));
}

base::Result<std::vector<Job>> Store::of(JobStatus status, std::size_t limit) const {
    auto query = database_.prepare(std::string(columns) +
                                   "WHERE status = ? ORDER BY starts, created, id LIMIT ?");
    query.bind(to_text(status)).bind(static_cast<std::int64_t>(limit));
    return read_all(std::move(query));
}

base::Result<std::vector<Job>> Store::read_all(store::Statement query) const {
    std::vector<Job> jobs;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return jobs;
        jobs.push_back(read_row(query));
        auto& job = jobs.back();
        if (job.status == JobStatus::running || job.status == JobStatus::queued) {
            MITRAL_TRY(job.counts, count_targets(job.id));
        }
    }
}

base::Result<JobCounts> Store::count_targets(std::string_view id) const {
    auto query =
        database_.prepare("SELECT status, count(*) FROM job_target WHERE job = ? GROUP BY status");
    query.bind(id);
    JobCounts counts;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return counts;
        const auto number = query.integer(1);
        counts.devices += number;
        for (const auto& [status, field] : {std::pair(TargetStatus::pending, &counts.pending),
                                            std::pair(TargetStatus::running, &counts.running),
                                            std::pair(TargetStatus::succeeded, &counts.succeeded),
                                            std::pair(TargetStatus::failed, &counts.failed)})
            if (query.text(0) == to_text(status))
                *field = number;
    }
}

base::Status Store::set_status(std::string_view id, JobStatus status) {
    auto update = database_.prepare("UPDATE job SET status = ? WHERE id = ?");
    update.bind(to_text(status)).bind(id);
    return run(update);
}

base::Status Store::end(const Job& job) {
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    MITRAL_TRY(const auto counts, count_targets(job.id));
    auto update = database_.prepare(
        "UPDATE job SET status = ?, ended = ?, reason = ?, devices = ?, succeeded = ?, failed = ? "
        "WHERE id = ?");
    update.bind(to_text(job.status)).bind(job.ended.ms).bind(job.reason).bind(counts.devices);
    update.bind(counts.succeeded).bind(counts.failed).bind(job.id);
    MITRAL_CHECK(run(update));
    auto clear = database_.prepare("DELETE FROM job_target WHERE job = ?");
    clear.bind(job.id);
    MITRAL_CHECK(run(clear));
    return transaction.commit();
}

base::Status Store::add_targets(std::string_view id, const std::vector<Target>& targets) {
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    for (const auto& target : targets) {
        auto insert = database_.prepare("INSERT OR IGNORE INTO job_target VALUES (?, ?, ?, ?)");
        insert.bind(id).bind(target.device).bind(target.module);
        insert.bind(to_text(TargetStatus::pending));
        MITRAL_CHECK(run(insert));
    }
    return transaction.commit();
}

base::Result<std::vector<Target>> Store::pending(std::string_view id, std::size_t limit) const {
    auto query = database_.prepare(
        "SELECT device, module FROM job_target WHERE job = ? AND status = ? LIMIT ?");
    query.bind(id).bind(to_text(TargetStatus::pending)).bind(static_cast<std::int64_t>(limit));
    std::vector<Target> targets;
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            return targets;
        targets.push_back({query.text(0), query.text(1)});
    }
}

base::Status Store::set_target(std::string_view id, const Target& target, TargetStatus status) {
    auto update = database_.prepare(
        "UPDATE job_target SET status = ? WHERE job = ? AND device = ? AND module = ?");
    update.bind(to_text(status)).bind(id).bind(target.device).bind(target.module);
    return run(update);
}

base::Status Store::move_targets(std::string_view id, TargetStatus from, TargetStatus into) {
    auto update =
        database_.prepare("UPDATE job_target SET status = ? WHERE job = ? AND status = ?");
    update.bind(to_text(into)).bind(id).bind(to_text(from));
    return run(update);
}

}  // namespace mitral::cloud::jobs
