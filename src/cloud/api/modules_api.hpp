#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/modules.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::api {

// Modules in the identity registry: GET /devices/{d}/modules, and GET, PUT, DELETE of one.
struct ModulesApi {
    hub::Modules& modules;
    hub::Service& service;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
