// Private to cloud/api: the part of DeploymentsApi that collects logs of agents.
#pragma once

#include "cloud/adu/device_update.hpp"
#include "cloud/api/device_update_calls.hpp"

namespace mitral::cloud::api {

void mount_log_collections(http::Router& router, const CallGuard& guard,
                           adu::DeviceUpdate& service);

}  // namespace mitral::cloud::api
