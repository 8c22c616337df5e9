#pragma once

#include "cloud/adu/device_update.hpp"
#include "cloud/api/device_update_calls.hpp"

namespace mitral::cloud::api {

// Updates: files that come in, import, list, get, delete, providers, names, versions, files,
// operations. Mounted on the public port behind the policy, on the admin port for anyone.
struct DeviceUpdateApi {
    adu::DeviceUpdate& service;

    void mount(http::Router& router, const CallGuard& guard) const;
};

// The keys that updates are signed with: what devices must trust, rotation. Admin port only.
struct UpdateKeysApi {
    adu::KeyRing& keys;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
