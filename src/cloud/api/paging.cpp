#include "cloud/api/paging.hpp"

#include <charconv>

#include "cloud/error.hpp"

namespace mitral::cloud::api {

base::Result<std::size_t> page_size(const http::Request& request) {
    const auto header = request.header("x-ms-max-item-count");
    if (header.empty())
        return default_page;
    std::size_t size = 0;
    const auto* end = header.data() + header.size();
    const auto [stopped, error] = std::from_chars(header.data(), end, size);
    if (error != std::errc() || stopped != end || size == 0 || size > max_page)
        return base::fail(CloudError::invalid_argument, "x-ms-max-item-count is 1 to 1000");
    return size;
}

}  // namespace mitral::cloud::api
