#pragma once

#include <functional>
#include <map>
#include <optional>

#include "base/event_loop.hpp"
#include "cloud/jobs/store.hpp"
#include "cloud/json.hpp"
#include "cloud/query/query.hpp"

namespace mitral::cloud::jobs {

struct RunnerParts {
    base::EventLoop& loop;
    const base::Clock& clock;
    Store& store;
    hub::Twins& twins;
    hub::MethodChannel& methods;
    // The twin as queries see it.
    std::function<Json(const hub::Twin&)> document{};
    // Tells a client that is connected what changed.
    std::function<void(const hub::TwinUpdate&)> push{};
};

// Takes jobs through their states: scheduled until their time, queued while the devices are looked
// for, running until each has an answer or the time is over. Work is cut into slices, so that no
// pass of the loop is held up by a large hub. What a crash interrupts goes on with the next start;
// of methods that were under way then nobody knows the end: they count as failed. After a power cut
// what was written last may be missing: a device may then have its turn twice.
class Runner {
  public:
    static constexpr std::size_t max_running = 10;  // jobs at once; the others stay queued
    static constexpr std::size_t slice = 100;       // twins of one job in one pass; its methods

    explicit Runner(RunnerParts parts) : parts_(std::move(parts)) {}
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;
    ~Runner();

    // Goes on with what the store holds; once, before the first call.
    [[nodiscard]] base::Status open();
    // Fails as Store::add.
    [[nodiscard]] base::Result<Job> schedule(Job job);
    // Devices that had their turn keep what they got. Fails with not_found, and invalid_argument
    // when the job is over.
    [[nodiscard]] base::Result<Job> cancel(std::string_view id);

  private:
    struct Active {
        Job job;
        query::Query query{};
        hub::TwinChange change{};
        Target last{};  // looked at
        base::MonotonicTime until{};
        std::size_t under_way = 0;  // methods
        std::uint64_t serial = 0;   // a later job may have the same id
    };
    void wake(base::Milliseconds delay);
    void step();
    [[nodiscard]] base::Status take_up();
    [[nodiscard]] base::Status begin(Job job);
    [[nodiscard]] base::Status advance(Active& active);
    [[nodiscard]] base::Status look_for_targets(Active& active);
    [[nodiscard]] base::Status update_twins(Active& active);
    [[nodiscard]] base::Status call_methods(Active& active);
    [[nodiscard]] base::Status call(Active& active, const Target& target);
    void answered(const std::string& id, std::uint64_t serial, const Target& target, bool good);
    [[nodiscard]] base::Status finish(Active& active, JobStatus status, std::string reason);
    [[nodiscard]] base::Status conclude(Active& active, std::string reason);
    [[nodiscard]] bool has_work(const Active& active) const;
    void arm();

    RunnerParts parts_;
    std::map<std::string, Active, std::less<>> active_;
    std::optional<base::EventLoop::TimerId> timer_{};
    std::uint64_t next_serial_ = 1;
};

}  // namespace mitral::cloud::jobs
