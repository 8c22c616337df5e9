#include "cloud/api/registrations_api.hpp"

#include "cloud/api/enrollment_body.hpp"
#include "cloud/api/provisioning_calls.hpp"
#include "cloud/api/service_calls.hpp"

namespace mitral::cloud::api {

using http::Captures;
using http::Request;
using http::Response;

void RegistrationsApi::mount(http::Router& router) const {
    router.add(http::Method::get, "/registrations/{id}",
               provisioning_guarded(
                   authenticator, hub::enrollment_read,
                   [&all = registrations](const Request&, const Captures& at) {
                       const auto found = all.find(at[0]);
                       if (!found)
                           return provisioning_refusal_of(found.error());
                       return *found ? json_response(200, registration_json(**found))
                                     : provisioning_refusal(404, 404201, "no such registration");
                   }));
    router.add(
        http::Method::remove, "/registrations/{id}",
        provisioning_guarded(authenticator, hub::enrollment_write,
                             [&all = registrations](const Request& request, const Captures& at) {
                                 const auto removed = all.remove(at[0], unquoted(request.if_match));
                                 if (!removed)
                                     return provisioning_refusal_of(removed.error());
                                 Response response;
                                 response.status = 204;
                                 return response;
                             }));
}

}  // namespace mitral::cloud::api
