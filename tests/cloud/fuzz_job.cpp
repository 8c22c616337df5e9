// Bodies of scheduled jobs: what was taken has a query that parses and work that can be read again.
#include <cstdlib>

#include "base/bytes.hpp"
#include "cloud/jobs/job.hpp"
#include "cloud/query/query.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral::cloud;
    constexpr mitral::base::WallTime now{1'790'000'000'000};
    const auto text = mitral::base::as_text({data, size});
    (void)jobs::read_job(text, R"({})", now);
    const auto job = jobs::read_job("job-1", text, now);
    if (!job)
        return 0;
    const auto query = query::parse(jobs::query_of(job->condition));
    if (!query || query->aggregates() || job->starts < now || job->max_time > jobs::longest_job ||
        jobs::etag_of(*job).empty())
        std::abort();
    const bool readable = job->type == jobs::JobType::update_twin
                              ? jobs::change_of(*job).has_value()
                              : jobs::call_of(*job, "dev-01").has_value();
    if (!readable)
        std::abort();
    return 0;
}
