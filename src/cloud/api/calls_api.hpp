#pragma once

#include "cloud/http/router.hpp"

namespace mitral::cloud::api {

// GET /calls on the admin port: every call of the HTTPS port, a JSON object a line, also those that
// answer 501. What checks rights can check that it forgot none.
struct CallsApi {
    const http::Router& calls;

    void mount(http::Router& admin) const;
};

}  // namespace mitral::cloud::api
