#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/hub/registry.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::api {

// The identity registry over REST, as Microsoft's service SDKs call it (api-version 2021-04-12):
// create, update, get, list, delete. Twins, queries, jobs and methods get files of their own.
struct RegistryApi {
    hub::Registry& registry;
    hub::Service& service;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);
};

// As the service shows a device; shared with the admin listing and the command line.
[[nodiscard]] std::string device_json(const hub::Device& device, bool connected);

}  // namespace mitral::cloud::api
