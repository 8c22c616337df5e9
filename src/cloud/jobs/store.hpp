#pragma once

#include <optional>
#include <vector>

#include "cloud/jobs/job.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::jobs {

inline constexpr std::size_t max_jobs = 1'000;         // kept at once
inline constexpr base::Seconds job_life{30 * 86'400};  // of one that is over, as in IoT Hub

struct Target {
    std::string device{};
    std::string module{};
};

// Jobs and what became of them on each device, as rows.
class Store {
  public:
    explicit Store(store::Database& database) : database_(database) {}

    // Fails with already_exists; with throttled when max_jobs are there and none is over.
    [[nodiscard]] base::Status add(const Job& job);
    // With its counts. Fails with not_found.
    [[nodiscard]] base::Result<Job> find(std::string_view id) const;
    // In the order of their ids, behind `after`; empty texts: of any type or status.
    [[nodiscard]] base::Result<std::vector<Job>> page(std::string_view type,
                                                      std::string_view status,
                                                      std::string_view after,
                                                      std::size_t limit) const;
    // Of one status, the one that starts first at the front.
    [[nodiscard]] base::Result<std::vector<Job>> of(JobStatus status, std::size_t limit) const;
    [[nodiscard]] base::Status set_status(std::string_view id, JobStatus status);
    // Over: counts what became of its targets, and lets them go.
    [[nodiscard]] base::Status end(const Job& job);

    [[nodiscard]] base::Status add_targets(std::string_view id, const std::vector<Target>& targets);
    [[nodiscard]] base::Result<std::vector<Target>> pending(std::string_view id,
                                                            std::size_t limit) const;
    [[nodiscard]] base::Status set_target(std::string_view id, const Target& target,
                                          TargetStatus status);
    [[nodiscard]] base::Status move_targets(std::string_view id, TargetStatus from,
                                            TargetStatus into);

  private:
    [[nodiscard]] base::Status make_room(base::WallTime now);
    [[nodiscard]] base::Result<JobCounts> count_targets(std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Job>> read_all(store::Statement query) const;

    store::Database& database_;
};

}  // namespace mitral::cloud::jobs
