#pragma once

#include "cloud/http/router.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::api {

// GET /deployments of the admin port: the newest deployments, a JSON object a line.
struct DeploymentBoardApi {
    static constexpr std::size_t shown = 20;

    const store::Database& database;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
