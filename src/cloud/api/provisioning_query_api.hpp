#pragma once

#include "cloud/dps/registrations.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// Lists of DPS in pages: POST /enrollments/query, /enrollmentGroups/query and
// /registrations/{group}/query. The only query is everything: "*" or "SELECT * FROM …".
struct ProvisioningQueryApi {
    const dps::Enrollments& enrollments;
    const dps::Registrations& registrations;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
