// What libcurl reports, in this project's words. Only the .cpp files of this room include this
// header.
#pragma once

#include <curl/curl.h>

#include <string_view>

#include "base/result.hpp"
#include "net/connect.hpp"
#include "net/error.hpp"

namespace mitral::enrol {

struct CurlFailure {
    CURLcode code = CURLE_OK;
    long verify_result = 0;   // X509_V_ERR_*
    std::string_view detail;  // libcurl's own text
    bool through_proxy = false;
};

[[nodiscard]] std::unexpected<base::Error> curl_failure(const CurlFailure& failure,
                                                        const net::Endpoint& server);

}  // namespace mitral::enrol
