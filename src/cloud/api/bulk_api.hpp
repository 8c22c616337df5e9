#pragma once

#include "cloud/api/registry_api.hpp"

namespace mitral::cloud::api {

// POST /devices: up to 100 devices, each with an importMode. All are tried; those that failed stand
// in `errors`, and then the status is 400.
struct BulkApi {
    static constexpr std::size_t max_entries = 100;

    hub::Registry& registry;
    hub::Service& service;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
