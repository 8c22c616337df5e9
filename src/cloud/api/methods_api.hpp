#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/methods.hpp"
#include "cloud/hub/registry.hpp"

namespace mitral::cloud::api {

// POST /twins/{device}[/modules/{module}]/methods (api-version 2021-04-12). All outlive the router.
struct MethodsApi {
    hub::Registry& registry;
    hub::MethodChannel& methods;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
