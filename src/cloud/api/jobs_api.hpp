#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/jobs/runner.hpp"

namespace mitral::cloud::api {

// /jobs/v2: scheduled jobs (api-version 2021-04-12), with RegistryRead, and RegistryWrite for what
// changes something. All outlive the router.
struct JobsApi {
    jobs::Runner& runner;
    const jobs::Store& store;
    const hub::Authenticator& authenticator;
    const base::Clock& clock;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
