#pragma once

#include "cloud/faults.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::api {

// Faults on demand, part of the admin port: POST /faults/{name} sets one, DELETE clears it,
// GET /faults shows all with how often each has struck.
struct FaultsApi {
    Faults& faults;
    hub::Service& hub;

    void mount(http::Router& router);
};

// For GET /metrics.
[[nodiscard]] std::string fault_metrics(const Faults& faults);

}  // namespace mitral::cloud::api
