// Private to cloud/api: pages of queries, as Azure's services ask for them in headers.
#pragma once

#include "cloud/http/message.hpp"

namespace mitral::cloud::api {

inline constexpr std::size_t default_page = 100;
inline constexpr std::size_t max_page = 1000;

// x-ms-max-item-count. Fails with invalid_argument.
[[nodiscard]] base::Result<std::size_t> page_size(const http::Request& request);

}  // namespace mitral::cloud::api
