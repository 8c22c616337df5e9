#include "cloud/api/provisioning_query_api.hpp"

#include "azure/text.hpp"
#include "cloud/api/enrollment_body.hpp"
#include "cloud/api/paging.hpp"
#include "cloud/api/provisioning_calls.hpp"
#include "cloud/error.hpp"
#include "cloud/query/continuation.hpp"

namespace mitral::cloud::api {
namespace {

using dps::EnrollmentKind;
using http::Captures;
using http::Request;
using http::Response;

// Rows behind an id, at most so many.
template <typename Row>
using Source = std::function<base::Result<std::vector<Row>>(const std::string&, std::size_t)>;

base::Status check_query(const Request& request) {
    MITRAL_TRY(const auto body, parse_json(request.body));
    const auto query = azure::to_lower(text_member(body, "query"));
    if (query != "*" && !query.starts_with("select * from "))
        return base::fail(CloudError::invalid_argument, "the only query is *");
    if (query.find(" where ") != std::string::npos)
        return base::fail(CloudError::invalid_argument, "queries of DPS take no WHERE here");
    return {};
}

template <typename Row>
base::Result<Response> page(const Request& request, const char* type, const Source<Row>& source,
                            Json (*view)(const Row&)) {
    MITRAL_CHECK(check_query(request));
    MITRAL_TRY(const auto size, page_size(request));
    MITRAL_TRY(const auto start, query::decode(request.header("x-ms-continuation"), request.path));
    MITRAL_TRY(const auto rows, source(start.device, size + 1));
    auto shown = Json::array();
    for (std::size_t i = 0; i < rows.size() && i < size; ++i)
        shown.push_back(view(rows[i]));
    auto response = json_response(200, shown);
    response.headers.emplace_back("x-ms-item-type", type);
    response.headers.emplace_back("x-ms-max-item-count", std::to_string(size));
    if (rows.size() > size)
        response.headers.emplace_back("x-ms-continuation",
                                      query::encode({.device = rows[size - 1].id}, request.path));
    return response;
}

Response answer(base::Result<Response> response) {
    return response ? *std::move(response) : provisioning_refusal_of(response.error());
}

}  // namespace

void ProvisioningQueryApi::mount(http::Router& router) const {
    const auto list = [&](const char* path, const char* type, EnrollmentKind kind) {
        router.add(http::Method::post, path,
                   provisioning_guarded(
                       authenticator, hub::enrollment_read,
                       [self = *this, type, kind](const Request& request, const Captures&) {
                           return answer(page<dps::Enrollment>(
                               request, type,
                               [&](const std::string& after, std::size_t limit) {
                                   return self.enrollments.page(kind, after, limit);
                               },
                               enrollment_json));
                       }));
    };
    list("/enrollments/query", "enrollment", EnrollmentKind::individual);
    list("/enrollmentGroups/query", "enrollmentGroup", EnrollmentKind::group);
    router.add(http::Method::post, "/registrations/{group}/query",
               provisioning_guarded(authenticator, hub::enrollment_read,
                                    [self = *this](const Request& request, const Captures& at) {
                                        return answer(page<dps::Registration>(
                                            request, "deviceRegistration",
                                            [&](const std::string& after, std::size_t limit) {
                                                return self.registrations.page(at[0], after, limit);
                                            },
                                            registration_json));
                                    }));
}

}  // namespace mitral::cloud::api
