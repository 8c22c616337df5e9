// One MQTT CONNECT as the device, and what the hub says to it.
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "mitral/route.hpp"
#include "uplink/assignment.hpp"

namespace mitral::cli {

// CONNECT, CONNACK, DISCONNECT; nothing is published. Fails with what uplink::Session fails with: a
// refusal comes with its explanation.
[[nodiscard]] base::Status try_hub(const RouteRequest& route, const uplink::Assignment& assignment,
                                   const base::Secret& token, const base::Clock& clock);

}  // namespace mitral::cli
