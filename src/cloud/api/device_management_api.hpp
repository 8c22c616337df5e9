#pragma once

#include "cloud/adu/device_update.hpp"
#include "cloud/api/device_update_calls.hpp"

namespace mitral::cloud::api {

// Device classes, groups, subgroups and devices, with what is newest for each. Mounted as
// DeviceUpdateApi.
struct DeviceManagementApi {
    adu::DeviceUpdate& service;

    void mount(http::Router& router, const CallGuard& guard) const;
};

// Deployments to groups: create, get, list, delete, status; cancel and retry in a subgroup; the
// states of devices. Log collections.
struct DeploymentsApi {
    adu::DeviceUpdate& service;

    void mount(http::Router& router, const CallGuard& guard) const;
};

}  // namespace mitral::cloud::api
