// Scheduled jobs of IoT Hub (REST "Jobs", api-version 2021-04-12): one change of twins or one
// direct method for all devices that a condition fits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cloud/hub/methods.hpp"
#include "cloud/hub/twins.hpp"

namespace mitral::cloud::jobs {

enum class JobType : std::uint8_t { update_twin, device_method };
enum class JobStatus : std::uint8_t { scheduled, queued, running, completed, failed, cancelled };
enum class TargetStatus : std::uint8_t { pending, running, succeeded, failed };

[[nodiscard]] std::string_view to_text(JobType type) noexcept;
[[nodiscard]] std::string_view to_text(JobStatus status) noexcept;
[[nodiscard]] std::string_view to_text(TargetStatus status) noexcept;
[[nodiscard]] JobType type_from(std::string_view text) noexcept;
[[nodiscard]] JobStatus status_from(std::string_view text) noexcept;
[[nodiscard]] constexpr bool is_over(JobStatus status) noexcept {
    return status >= JobStatus::completed;
}

struct JobCounts {
    std::int64_t devices = 0;
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t running = 0;
    std::int64_t pending = 0;
};

struct Job {
    std::string id{};
    JobType type = JobType::update_twin;
    JobStatus status = JobStatus::scheduled;
    std::string condition{};  // as it was given
    std::string body{};       // updateTwin or cloudToDeviceMethod, JSON
    base::WallTime created{};
    base::WallTime starts{};
    base::WallTime ended{};  // 0: not yet
    base::Seconds max_time{3600};
    std::string reason{};  // of a failure
    JobCounts counts{};
};

inline constexpr std::size_t max_job_id = 64;  // letters, digits and dashes
inline constexpr base::Seconds longest_job{7 * 86'400};

// The body of PUT /jobs/v2/{id}, checked to the end: the condition parses, the twins' change keeps
// the limits, the method is one that can be called. Fails with invalid_argument and too_large.
[[nodiscard]] base::Result<Job> read_job(std::string_view id, std::string_view body,
                                         base::WallTime now);

// The query that a condition stands for: "*", what follows WHERE, or FROM …, or a whole query.
[[nodiscard]] std::string query_of(std::string_view condition);

// What the body of a job asks for. They fail only where read_job() does.
[[nodiscard]] base::Result<hub::TwinChange> change_of(const Job& job);
[[nodiscard]] std::string etag_of(const Job& job);  // "*": any twin
[[nodiscard]] base::Result<hub::MethodCall> call_of(const Job& job, std::string client_id);

}  // namespace mitral::cloud::jobs
