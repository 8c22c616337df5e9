#pragma once

#include "cloud/dps/enrollments.hpp"
#include "cloud/dps/registrar.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// DPS over HTTPS: what devices call (register, look up), and single enrolments with keys or
// certificates for the service SDK (api-version 2021-10-01).
struct ProvisioningApi {
    dps::Registrar& registrar;
    dps::Enrollments& enrollments;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);

  private:
    void mount_devices(http::Router& router) const;
    void mount_enrollments(http::Router& router, dps::EnrollmentKind kind,
                           const std::string& path) const;
};

}  // namespace mitral::cloud::api
