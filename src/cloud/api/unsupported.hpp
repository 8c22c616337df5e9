#pragma once

#include <span>
#include <string_view>

#include "cloud/http/router.hpp"

namespace mitral::cloud::api {

// A call that Azure knows and this service does not serve. docs/local-azure.md shows the same
// table.
struct UnsupportedCall {
    std::string_view call;    // "POST /devices/query"; without a path: another protocol
    std::string_view name;    // as the documentation of Azure calls the operation
    std::string_view reason;  // one line for users
};
[[nodiscard]] std::span<const UnsupportedCall> unsupported_calls() noexcept;

// 501 with the name of the operation.
[[nodiscard]] http::Response not_implemented(std::string_view name);

// Every unsupported path answers 501 with its name, whoever asks. Mount it last: what is served
// elsewhere stands before it.
void mount_unsupported(http::Router& router);

}  // namespace mitral::cloud::api
