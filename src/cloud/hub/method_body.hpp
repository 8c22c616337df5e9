// Private to cloud: what the service API says of a method to call.
#pragma once

#include "cloud/hub/methods.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::hub {

// {"methodName","payload","responseTimeoutInSeconds" (5 to 300),"connectTimeoutInSeconds" (0 to
// 300)}. Fails with invalid_argument and too_large.
[[nodiscard]] base::Result<MethodCall> read_method_call(const Json& body, std::string client_id);

}  // namespace mitral::cloud::hub
