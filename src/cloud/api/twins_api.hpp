#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/hub/service.hpp"
#include "cloud/hub/twins.hpp"

namespace mitral::cloud::api {

// Twins of devices and modules over REST, for policies with ServiceConnect: get, update, replace;
// tags and desired properties also at paths of their own.
struct TwinsApi {
    hub::Twins& twins;
    hub::Service& service;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router) const;
};

// As the service shows a twin.
[[nodiscard]] std::string twin_json(const hub::Twin& twin, bool connected);
[[nodiscard]] std::string client_id(hub::TwinName name);

}  // namespace mitral::cloud::api
