#pragma once

#include "cloud/dps/enrollments.hpp"
#include "cloud/dps/registrar.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// DPS over HTTPS: what devices call (register, look up) and what the service SDK calls for
// enrolments with keys or certificates (api-version 2021-10-01). Queries, bulk and attestation
// look-ups come later.
struct ProvisioningApi {
    dps::Registrar& registrar;
    dps::Enrollments& enrollments;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);

  private:
    void mount_devices(http::Router& router) const;
    void mount_enrollments(http::Router& router, dps::EnrollmentKind kind,
                           std::string_view path) const;
};

}  // namespace mitral::cloud::api
