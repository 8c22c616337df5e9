#include "cloud/api/jobs_api.hpp"

#include "cloud/api/json.hpp"
#include "cloud/api/paging.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"
#include "cloud/query/continuation.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;
using jobs::Job;

Json time_or_null(base::WallTime time) {
    return time.ms == 0 ? Json() : Json(base::to_iso8601(time));
}

Json job_json(const Job& job) {
    const auto work = parse_json(job.body);
    Json body{{"jobId", job.id},
              {"type", to_text(job.type)},
              {"status", to_text(job.status)},
              {"queryCondition", job.condition},
              {"createdTime", base::to_iso8601(job.created)},
              {"startTime", base::to_iso8601(job.starts)},
              {"endTime", time_or_null(job.ended)},
              {"maxExecutionTimeInSeconds", job.max_time.count()},
              {"deviceJobStatistics",
               {{"deviceCount", job.counts.devices},
                {"failedCount", job.counts.failed},
                {"succeededCount", job.counts.succeeded},
                {"runningCount", job.counts.running},
                {"pendingCount", job.counts.pending}}}};
    body[job.type == jobs::JobType::update_twin ? "updateTwin" : "cloudToDeviceMethod"] =
        work ? *work : Json();
    if (!job.reason.empty())
        body["failureReason"] = job.reason;
    return body;
}

Response refusal_of_job(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return service_refusal(404, "JobNotFound", error.context);
    if (error.code == CloudError::already_exists)
        return service_refusal(409, "JobAlreadyExists", error.context);
    return refusal_of(error);
}

Response answer(const base::Result<Job>& job) {
    return job ? json_response(200, job_json(*job)) : refusal_of_job(job.error());
}

base::Result<Job> put(const JobsApi& api, const Request& request, const std::string& id) {
    MITRAL_TRY(auto job, jobs::read_job(id, request.body, api.clock.wall()));
    return api.runner.schedule(std::move(job));
}

base::Result<Response> list(const JobsApi& api, const Request& request) {
    MITRAL_TRY(const auto size, page_size(request));
    const std::string type(request.parameter("jobType"));
    const std::string status(request.parameter("jobStatus"));
    const auto text = type + "/" + status;
    MITRAL_TRY(const auto start, query::decode(request.header("x-ms-continuation"), text));
    MITRAL_TRY(const auto found, api.store.page(type, status, start.device, size + 1));
    auto rows = Json::array();
    for (std::size_t i = 0; i < found.size() && i < size; ++i)
        rows.push_back(job_json(found[i]));
    auto response = json_response(200, rows);
    response.headers.emplace_back("x-ms-item-type", "jobResponse");
    if (found.size() > size)
        response.headers.emplace_back("x-ms-continuation",
                                      query::encode({.device = found[size - 1].id}, text));
    return response;
}

}  // namespace

void JobsApi::mount(http::Router& router) const {
    const auto add = [&](Method method, const char* path, std::uint32_t rights, auto action) {
        router.add(method, path,
                   guarded(authenticator, rights,
                           [self = *this, action](const Request& request, const Captures& at) {
                               return action(self, request, at);
                           }));
    };
    add(Method::get, "/jobs/v2/query", hub::registry_read,
        [](const JobsApi& api, const Request& request, const Captures&) {
            auto page = list(api, request);
            return page ? *std::move(page) : refusal_of_job(page.error());
        });
    add(Method::put, "/jobs/v2/{job}", hub::registry_write,
        [](const JobsApi& api, const Request& request, const Captures& at) {
            return answer(put(api, request, at[0]));
        });
    add(Method::get, "/jobs/v2/{job}", hub::registry_read,
        [](const JobsApi& api, const Request&, const Captures& at) {
            return answer(api.store.find(at[0]));
        });
    add(Method::post, "/jobs/v2/{job}/cancel", hub::registry_write,
        [](const JobsApi& api, const Request&, const Captures& at) {
            return answer(api.runner.cancel(at[0]));
        });
}

}  // namespace mitral::cloud::api
