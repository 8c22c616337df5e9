#pragma once

#include <map>
#include <string_view>

#include "cloud/http/message.hpp"

namespace mitral::cloud::metrics {

// Which part of the API a path belongs to: one of about a dozen names, "other" for the rest.
[[nodiscard]] std::string_view api_of(std::string_view path);

// Counts answers of the public API by part and status, late ones when they are given.
class ApiMeter {
  public:
    using Counts = std::map<std::pair<std::string_view, unsigned>, std::uint64_t>;

    ApiMeter() = default;
    ApiMeter(const ApiMeter&) = delete;
    ApiMeter& operator=(const ApiMeter&) = delete;

    // The meter outlives the answer.
    [[nodiscard]] http::Response count(const http::Request& request, http::Response response);
    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

  private:
    Counts counts_;
};

}  // namespace mitral::cloud::metrics
