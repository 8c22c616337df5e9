#pragma once

#include "cloud/dps/registrations.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// GET and DELETE /registrations/{id}: what DPS remembers of a device. Whose registration is deleted
// registers as if for the first time; its device stays at the hub.
struct RegistrationsApi {
    dps::Registrations& registrations;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
