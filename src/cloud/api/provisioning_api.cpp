#include "cloud/api/provisioning_api.hpp"

#include "cloud/api/attestation_body.hpp"
#include "cloud/api/enrollment_body.hpp"
#include "cloud/api/provisioning_calls.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/error.hpp"

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

Response shown(const base::Result<Enrollment>& enrollment) {
    return enrollment ? json_response(200, enrollment_json(*enrollment))
                      : provisioning_refusal_of(enrollment.error());
}

Response put(dps::Enrollments& enrollments, EnrollmentKind kind, const Request& request,
             const std::string& id) {
    const auto body = parse_json(request.body);
    if (request.if_match.empty()) {
        const auto known = enrollments.find(kind, id);
        if (!known)
            return provisioning_refusal_of(known.error());
        if (*known)
            return provisioning_refusal(409, 409201, "it exists; If-Match replaces it");
    }
    auto wanted = body ? read_enrollment(*body, kind, id) : std::unexpected(body.error());
    return wanted ? shown(enrollments.put(*std::move(wanted), unquoted(request.if_match)))
                  : provisioning_refusal_of(wanted.error());
}

Response show(const dps::Enrollments& enrollments, EnrollmentKind kind, const std::string& id,
              Json (*view)(const Enrollment&)) {
    const auto found = enrollments.find(kind, id);
    if (!found)
        return provisioning_refusal_of(found.error());
    return *found ? json_response(200, view(**found))
                  : provisioning_refusal(404, 404201, "no such enrolment");
}

Response remove(dps::Enrollments& enrollments, EnrollmentKind kind, const Request& request,
                const std::string& id) {
    if (const auto removed = enrollments.remove(kind, id, unquoted(request.if_match)); !removed)
        return provisioning_refusal_of(removed.error());
    Response response;
    response.status = 204;
    return response;
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
                   // It comes without a token: the answer would be a challenge for the TPM.
                   if (const auto body = parse_json(request.body); body && member(*body, "tpm"))
                       return provisioning_refusal_of(
                           {.code = CloudError::not_supported, .context = "TPM attestation"});
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
                                        const std::string& path) const {
    auto& entries = enrollments;
    router.add(Method::put, path,
               provisioning_guarded(authenticator, hub::enrollment_write,
                                    [&entries, kind](const Request& request, const Captures& at) {
                                        return put(entries, kind, request, at[0]);
                                    }));
    router.add(Method::get, path,
               provisioning_guarded(authenticator, hub::enrollment_read,
                                    [&entries, kind](const Request&, const Captures& at) {
                                        return show(entries, kind, at[0], enrollment_json);
                                    }));
    router.add(Method::post, path + "/attestationmechanism",
               provisioning_guarded(authenticator, hub::enrollment_read,
                                    [&entries, kind](const Request&, const Captures& at) {
                                        return show(entries, kind, at[0], attestation_json);
                                    }));
    router.add(Method::remove, path,
               provisioning_guarded(authenticator, hub::enrollment_write,
                                    [&entries, kind](const Request& request, const Captures& at) {
                                        return remove(entries, kind, request, at[0]);
                                    }));
}

}  // namespace mitral::cloud::api
