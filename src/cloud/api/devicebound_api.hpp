#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/devicebound_channel.hpp"
#include "cloud/hub/service.hpp"

namespace mitral::cloud::api {

// Cloud-to-device messages over HTTPS, as a device takes and settles them (AZURE devguide, "device
// messaging REST API"), and the purge of its queue by the service. All outlive the router.
struct DeviceboundApi {
    hub::DeviceboundQueue& queue;
    hub::DeviceboundChannel& channel;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router);
};

// The same queues on the admin port: POST /devices/{id}/messages sends, GET /feedback?from=N tells
// what became of messages that asked for it.
struct DeviceboundAdminApi {
    hub::DeviceboundQueue& queue;
    hub::DeviceboundChannel& channel;

    void mount(http::Router& router);
};

}  // namespace mitral::cloud::api
