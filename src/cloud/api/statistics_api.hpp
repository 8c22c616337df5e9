#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::api {

// GET /statistics/devices (RegistryRead) and /statistics/service (ServiceConnect).
struct StatisticsApi {
    const hub::Registry& registry;
    const hub::Service& service;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
