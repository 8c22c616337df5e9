#include "cloud/api/enrollment_bulk_api.hpp"

#include "azure/text.hpp"
#include "cloud/api/enrollment_body.hpp"
#include "cloud/api/provisioning_calls.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using dps::EnrollmentKind;

base::Status apply(dps::Enrollments& enrollments, EnrollmentKind kind, const std::string& mode,
                   const Json& entry, const std::string& id) {
    if (mode == "delete")
        return enrollments.remove(kind, id, "*");
    MITRAL_TRY(auto wanted, read_enrollment(entry, kind, id));
    MITRAL_TRY(const auto known, enrollments.find(kind, id));
    if (mode == "create" && known)
        return base::fail(CloudError::already_exists, "enrolment " + id);
    if (mode != "create" && !known)
        return base::fail(CloudError::not_found, "enrolment " + id);
    const auto etag = text_member(entry, "etag");
    if (mode == "updateifmatchetag" && etag.empty())
        return base::fail(CloudError::stale_etag, "enrolment " + id + " comes without its etag");
    MITRAL_TRY(const auto stored,
               enrollments.put(std::move(wanted), mode == "updateifmatchetag" ? etag : "*"));
    (void)stored;
    return {};
}

base::Result<Json> bulk(dps::Enrollments& enrollments, EnrollmentKind kind,
                        const http::Request& request) {
    MITRAL_TRY(const auto body, parse_json(request.body));
    const auto mode = azure::to_lower(text_member(body, "mode"));
    if (mode != "create" && mode != "update" && mode != "updateifmatchetag" && mode != "delete")
        return base::fail(CloudError::invalid_argument,
                          "mode is create, update, updateIfMatchETag or delete");
    const auto* entries =
        member(body, kind == EnrollmentKind::group ? "enrollmentGroups" : "enrollments");
    if (entries == nullptr || !entries->is_array() || entries->empty() ||
        entries->size() > EnrollmentBulkApi::max_entries)
        return base::fail(CloudError::invalid_argument, "1 to 10 enrolments are expected");
    auto errors = Json::array();
    for (const auto& entry : *entries) {
        const auto id = text_member(entry, id_member(kind));
        if (const auto done = apply(enrollments, kind, mode, entry, id); !done)
            errors.push_back({{id_member(kind), id},
                              {"errorCode", provisioning_code_of(done.error())},
                              {"errorStatus", done.error().context}});
    }
    const bool successful = errors.empty();
    return Json{{"isSuccessful", successful}, {"errors", std::move(errors)}};
}

}  // namespace

void EnrollmentBulkApi::mount(http::Router& router) const {
    for (const auto kind : {EnrollmentKind::individual, EnrollmentKind::group})
        router.add(http::Method::post,
                   kind == EnrollmentKind::group ? "/enrollmentGroups" : "/enrollments",
                   provisioning_guarded(authenticator, hub::enrollment_write,
                                        [&entries = enrollments, kind](const http::Request& request,
                                                                       const http::Captures&) {
                                            const auto result = bulk(entries, kind, request);
                                            return result ? json_response(200, *result)
                                                          : provisioning_refusal_of(result.error());
                                        }));
}

}  // namespace mitral::cloud::api
