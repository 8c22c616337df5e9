#include "cloud/jobs/runner.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "cloud/error.hpp"
#include "cloud/query/evaluate.hpp"

namespace mitral::cloud::jobs {
namespace {

constexpr base::Milliseconds at_once{0};
constexpr base::Milliseconds after_failure{1'000};
constexpr base::Milliseconds longest_wait{60'000};  // the wall clock may be set meanwhile

std::string client_id(const Target& target) {
    return target.module.empty() ? target.device : target.device + "/" + target.module;
}

hub::Twins::Of collection(const query::Query& query) {
    return query.collection == query::Query::Collection::modules ? hub::Twins::Of::modules
                                                                 : hub::Twins::Of::devices;
}

}  // namespace

Runner::~Runner() {
    if (timer_)
        parts_.loop.cancel(*timer_);
}

base::Status Runner::open() {
    MITRAL_TRY(const auto running, parts_.store.of(JobStatus::running, max_jobs));
    for (const auto& job : running) {
        MITRAL_CHECK(
            parts_.store.move_targets(job.id, TargetStatus::running, TargetStatus::failed));
        MITRAL_CHECK(begin(job));
    }
    wake(at_once);
    return {};
}

base::Result<Job> Runner::schedule(Job job) {
    job.status = job.starts > parts_.clock.wall() ? JobStatus::scheduled : JobStatus::queued;
    MITRAL_CHECK(parts_.store.add(job));
    wake(at_once);
    return job;
}

base::Result<Job> Runner::cancel(std::string_view id) {
    MITRAL_TRY(auto job, parts_.store.find(id));
    if (is_over(job.status))
        return base::fail(CloudError::invalid_argument, "job " + job.id + " is over");
    if (const auto active = active_.find(id); active != active_.end()) {
        MITRAL_CHECK(finish(active->second, JobStatus::cancelled, {}));
        active_.erase(active);
    } else {
        job.status = JobStatus::cancelled;
        job.ended = parts_.clock.wall();
        MITRAL_CHECK(parts_.store.end(job));
    }
    wake(at_once);
    return parts_.store.find(id);
}

void Runner::wake(base::Milliseconds delay) {
    if (timer_)
        parts_.loop.cancel(*timer_);
    timer_ = parts_.loop.after(delay, [this] {
        timer_.reset();
        step();
    });
}

void Runner::step() {
    auto status = take_up();
    for (auto at = active_.begin(); status && at != active_.end();) {
        status = advance(at->second);
        at = is_over(at->second.job.status) ? active_.erase(at) : std::next(at);
    }
    if (!status) {
        base::log(base::Severity::error, "jobs-failed", {{"cause", status.error().message()}});
        return wake(after_failure);
    }
    arm();
}

base::Status Runner::take_up() {
    const auto now = parts_.clock.wall();
    MITRAL_TRY(const auto scheduled, parts_.store.of(JobStatus::scheduled, max_jobs));
    for (const auto& job : scheduled)
        if (job.starts <= now)
            MITRAL_CHECK(parts_.store.set_status(job.id, JobStatus::queued));
    MITRAL_TRY(const auto queued, parts_.store.of(JobStatus::queued, max_running));
    for (const auto& job : queued)
        if (active_.size() < max_running && !active_.contains(job.id))
            MITRAL_CHECK(begin(job));
    return {};
}

base::Status Runner::begin(Job job) {
    Active active;
    active.serial = next_serial_++;
    MITRAL_TRY(active.query, query::parse(query_of(job.condition)));
    if (job.type == JobType::update_twin) {
        MITRAL_TRY(active.change, change_of(job));
    }
    active.until = parts_.clock.monotonic() + base::Milliseconds(job.max_time);
    active.job = std::move(job);
    const auto id = active.job.id;
    active_.insert_or_assign(id, std::move(active));
    return {};
}

base::Status Runner::advance(Active& active) {
    if (parts_.clock.monotonic() >= active.until) {
        for (const auto left : {TargetStatus::pending, TargetStatus::running})
            MITRAL_CHECK(parts_.store.move_targets(active.job.id, left, TargetStatus::failed));
        return conclude(active, "maxExecutionTimeInSeconds is over");
    }
    if (active.job.status == JobStatus::queued)
        return look_for_targets(active);
    return active.job.type == JobType::update_twin ? update_twins(active) : call_methods(active);
}

base::Status Runner::look_for_targets(Active& active) {
    MITRAL_TRY(const auto twins,
               parts_.twins.page(collection(active.query), {active.last.device, active.last.module},
                                 slice));
    std::vector<Target> found;
    for (const auto& twin : twins)
        if (query::matches(active.query, parts_.document(twin)))
            found.push_back({twin.device, twin.module});
    MITRAL_CHECK(parts_.store.add_targets(active.job.id, found));
    if (twins.size() == slice) {
        active.last = {twins.back().device, twins.back().module};
        return {};
    }
    active.job.status = JobStatus::running;
    return parts_.store.set_status(active.job.id, JobStatus::running);
}

base::Status Runner::update_twins(Active& active) {
    MITRAL_TRY(const auto targets, parts_.store.pending(active.job.id, slice));
    const auto etag = etag_of(active.job);
    for (const auto& target : targets) {
        const auto update =
            parts_.twins.update({target.device, target.module}, active.change, etag);
        if (!update && update.error().code == CloudError::storage)
            return std::unexpected(update.error());
        if (update)
            parts_.push(*update);
        MITRAL_CHECK(parts_.store.set_target(
            active.job.id, target, update ? TargetStatus::succeeded : TargetStatus::failed));
    }
    return targets.size() < slice ? conclude(active, {}) : base::Status();
}

base::Status Runner::call_methods(Active& active) {
    const auto room = slice - std::min(slice, active.under_way);
    MITRAL_TRY(const auto targets, parts_.store.pending(active.job.id, room));
    for (const auto& target : targets)
        MITRAL_CHECK(call(active, target));
    return targets.empty() && active.under_way == 0 && room > 0 ? conclude(active, {})
                                                                : base::Status();
}

base::Status Runner::call(Active& active, const Target& target) {
    MITRAL_TRY(auto call, call_of(active.job, client_id(target)));
    MITRAL_CHECK(parts_.store.set_target(active.job.id, target, TargetStatus::running));
    ++active.under_way;
    // May be answered before this returns.
    parts_.methods.invoke(std::move(call), [this, id = active.job.id, serial = active.serial,
                                            target](const base::Result<hub::MethodAnswer>& answer) {
        answered(id, serial, target, answer.has_value());
    });
    return {};
}

void Runner::answered(const std::string& id, std::uint64_t serial, const Target& target,
                      bool good) {
    const auto active = active_.find(id);
    if (active == active_.end() || active->second.serial != serial)
        return;
    --active->second.under_way;
    const auto set =
        parts_.store.set_target(id, target, good ? TargetStatus::succeeded : TargetStatus::failed);
    if (!set)
        base::log(base::Severity::error, "jobs-failed", {{"cause", set.error().message()}});
    wake(at_once);
}

base::Status Runner::finish(Active& active, JobStatus status, std::string reason) {
    auto job = active.job;
    job.status = status;
    job.reason = std::move(reason);
    job.ended = parts_.clock.wall();
    MITRAL_CHECK(parts_.store.end(job));  // fails: it is as before, and comes to its end again
    active.job = std::move(job);
    return {};
}

// Failed is a job that came to nothing.
base::Status Runner::conclude(Active& active, std::string reason) {
    MITRAL_TRY(const auto job, parts_.store.find(active.job.id));
    const bool in_vain = job.counts.succeeded == 0 && job.counts.failed > 0;
    if (in_vain && reason.empty())
        reason = "it failed on every device";
    return finish(active, in_vain ? JobStatus::failed : JobStatus::completed, std::move(reason));
}

bool Runner::has_work(const Active& active) const {
    return active.job.status == JobStatus::queued || active.job.type == JobType::update_twin ||
           active.under_way == 0;
}

void Runner::arm() {
    auto wait = longest_wait;
    for (const auto& [id, active] : active_)
        wait = has_work(active)
                   ? at_once
                   : std::min(wait, std::max(at_once, active.until - parts_.clock.monotonic()));
    if (active_.size() < max_running)
        if (const auto waiting = parts_.store.of(JobStatus::queued, max_running); waiting)
            for (const auto& job : *waiting)
                if (!active_.contains(job.id))
                    wait = at_once;
    if (const auto next = parts_.store.of(JobStatus::scheduled, 1); next && !next->empty())
        wait = std::min(wait, std::max(at_once, base::Milliseconds(next->front().starts.ms -
                                                                   parts_.clock.wall().ms)));
    else if (active_.empty() && wait == longest_wait)
        return;
    wake(wait);
}

}  // namespace mitral::cloud::jobs
