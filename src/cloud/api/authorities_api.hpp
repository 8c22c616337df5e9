#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authorities.hpp"

namespace mitral::cloud::api {

// Certificate authorities, on the admin port: GET /ca-certificates; PUT (the body is the
// certificate) and DELETE /ca-certificates/{name}.
struct AuthoritiesApi {
    hub::Authorities& authorities;

    void mount(http::Router& router);
};

// One authority as a line of JSON; shared with the command line.
[[nodiscard]] std::string authority_json(const hub::Authority& authority);

}  // namespace mitral::cloud::api
