#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cloud {

struct ServiceCall {
    std::string method;
    std::string path;  // with its query, encoded
    std::string body{};
    std::string if_match{};
    std::string continuation{};  // x-ms-continuation
    std::string page_size{};     // x-ms-max-item-count
    bool provisioning = false;   // asks DPS, not the hub
    base::Seconds patience{10};  // for the answer
};

struct ServiceAnswer {
    std::string body{};          // empty with 204
    std::string continuation{};  // of a query that has more
};

// One call to the service API of the server on this state directory, as iothubowner,
// provisioningserviceowner or deviceUpdate. A refusal is an error with the server's words in one
// line.
[[nodiscard]] base::Result<ServiceAnswer> call_service(const std::string& state,
                                                       const ServiceCall& call);

}  // namespace mitral::cloud
