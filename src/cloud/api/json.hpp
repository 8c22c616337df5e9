// Private to cloud/api: answers in JSON.
#pragma once

#include "cloud/http/message.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::api {

[[nodiscard]] http::Response json_response(unsigned status, const Json& body);

}  // namespace mitral::cloud::api
