#include "cloud/api/provisioning_api.hpp"

#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/api/attestation_body.hpp"
#include "cloud/api/json.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::api {
namespace {

using dps::Enrollment;
using dps::EnrollmentKind;
using http::Captures;
using http::Method;
using http::Request;
using http::Response;

Response to_response(dps::Answer answer) {
    Response response;
    response.status = static_cast<unsigned>(answer.status);
    response.body = std::move(answer.body);
    if (answer.retry_after)
        response.headers.emplace_back("Retry-After", std::to_string(answer.retry_after->count()));
    return response;
}

Json to_json(const Enrollment& enrollment) {
    Json body;
    if (enrollment.kind == EnrollmentKind::group) {
        body["enrollmentGroupId"] = enrollment.id;
    } else {
        body["registrationId"] = enrollment.id;
        if (!enrollment.device.empty())
            body["deviceId"] = enrollment.device;
    }
    body["attestation"] = attestation_json(enrollment);
    body["capabilities"] = {{"iotEdge", false}};
    body["etag"] = enrollment.etag;
    body["provisioningStatus"] = enrollment.enabled ? "enabled" : "disabled";
    body["reprovisionPolicy"] = {{"updateHubAssignment", true}, {"migrateDeviceData", true}};
    body["allocationPolicy"] = "hashed";
    if (!enrollment.initial_twin.empty())
        body["initialTwin"] = Json::parse(enrollment.initial_twin, nullptr, false);
    body["createdDateTimeUtc"] = base::to_iso8601(enrollment.created);
    body["lastUpdatedDateTimeUtc"] = base::to_iso8601(enrollment.updated);
    return body;
}

base::Result<Enrollment> read_enrollment(const Request& request, EnrollmentKind kind,
                                         const std::string& id) {
    MITRAL_TRY(const auto body, parse_json(request.body));
    const auto* name = kind == EnrollmentKind::group ? "enrollmentGroupId" : "registrationId";
    if (!azure::equal_ignoring_case(text_member(body, name, id), id))
        return base::fail(CloudError::invalid_argument,
                          std::string(name) + " differs from the path");
    Enrollment enrollment{.kind = kind, .id = id};
    enrollment.device = text_member(body, "deviceId");
    const auto status = text_member(body, "provisioningStatus", "enabled");
    if (status != "enabled" && status != "disabled")
        return base::fail(CloudError::invalid_argument,
                          "provisioningStatus is enabled or disabled");
    enrollment.enabled = status == "enabled";
    if (const auto* twin = member(body, "initialTwin"); twin != nullptr && !twin->is_null())
        enrollment.initial_twin = dump(*twin);
    MITRAL_CHECK(read_attestation(body, enrollment));
    return enrollment;
}

Response refusal(unsigned status, std::int64_t code, std::string_view message) {
    return json_response(
        status,
        {{"errorCode", code}, {"message", message}, {"trackingId", store::new_tracking_id()}});
}

Response refusal_of(const base::Error& error) {
    if (error.code == CloudError::not_found)
        return refusal(404, 404201, error.context);
    if (error.code == CloudError::stale_etag)
        return refusal(412, 412002, error.context);
    if (error.code == CloudError::storage) {
        base::log(base::Severity::error, "enrollments-failed", {{"cause", error.message()}});
        return refusal(500, 500000, "storage failed");
    }
    return refusal(400, 400004, error.context);
}

Response answer_with(const base::Result<Enrollment>& enrollment) {
    return enrollment ? json_response(200, to_json(*enrollment)) : refusal_of(enrollment.error());
}

}  // namespace

void ProvisioningApi::mount(http::Router& router) {
    mount_devices(router);
    mount_enrollments(router, EnrollmentKind::group, "/enrollmentGroups/{id}");
    mount_enrollments(router, EnrollmentKind::individual, "/enrollments/{id}");
}

void ProvisioningApi::mount_devices(http::Router& router) const {
    const auto claim = [](const Request& request, const Captures& at) {
        return dps::Claim{.id_scope = at[0],
                          .registration_id = at[1],
                          .token = request.authorization,
                          .certificates = request.certificates};
    };
    auto& registry = registrar;
    router.add(Method::put, "/{scope}/registrations/{id}/register",
               [&registry, claim](const Request& request, const Captures& at) {
                   return to_response(registry.enroll(claim(request, at), request.body));
               });
    router.add(Method::get, "/{scope}/registrations/{id}/operations/{operation}",
               [&registry, claim](const Request& request, const Captures& at) {
                   return to_response(registry.look_up(claim(request, at), at[2]));
               });
    router.add(Method::post, "/{scope}/registrations/{id}",
               [&registry, claim](const Request& request, const Captures& at) {
                   return to_response(registry.state(claim(request, at)));
               });
}

void ProvisioningApi::mount_enrollments(http::Router& router, EnrollmentKind kind,
                                        std::string_view path) const {
    const auto guarded = [self = *this](std::uint32_t rights, auto action) {
        return [self, rights, action](const Request& request, const Captures& at) {
            const auto allowed =
                self.authenticator.service(hub::dps_service, request.authorization, rights);
            if (allowed)
                return action(self.enrollments, request, at[0]);
            base::log_security("service-call-refused", {{"path", azure::shown(request.path)},
                                                        {"cause", allowed.error().message()}});
            return refusal(401, 401002, "Unauthorized");
        };
    };
    router.add(
        Method::put, path,
        guarded(hub::enrollment_write,
                [kind](dps::Enrollments& entries, const Request& request, const std::string& id) {
                    auto wanted = read_enrollment(request, kind, id);
                    if (!wanted)
                        return refusal_of(wanted.error());
                    return answer_with(entries.put(*std::move(wanted), request.if_match));
                }));
    router.add(Method::get, path,
               guarded(hub::enrollment_read,
                       [kind](dps::Enrollments& entries, const Request&, const std::string& id) {
                           const auto found = entries.find(kind, id);
                           if (!found)
                               return refusal_of(found.error());
                           return *found ? json_response(200, to_json(**found))
                                         : refusal(404, 404201, "no such enrolment");
                       }));
    router.add(Method::remove, path,
               guarded(hub::enrollment_write,
                       [kind](dps::Enrollments& entries, const Request&, const std::string& id) {
                           if (const auto removed = entries.remove(kind, id); !removed)
                               return refusal_of(removed.error());
                           Response response;
                           response.status = 204;
                           return response;
                       }));
}

}  // namespace mitral::cloud::api
