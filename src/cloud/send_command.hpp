#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace mitral::cloud {

struct SendOrder {
    std::string body;
    std::string message_id;
    std::string content_type;
    std::string ack;                      // none, positive, negative, full; empty: none
    std::string ttl_s;                    // empty: one hour
    std::vector<std::string> properties;  // name=value
};

// Puts a cloud-to-device message into the queue of a device of the running server.
[[nodiscard]] base::Status send_message(const std::string& state, const std::string& device,
                                        const SendOrder& order);

}  // namespace mitral::cloud
