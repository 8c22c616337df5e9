#pragma once

#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"
#include "cloud/hub/service.hpp"
#include "cloud/hub/twins.hpp"

namespace mitral::cloud::api {

// POST /devices/query, for policies with ServiceConnect: the query language over twins, in pages
// (x-ms-max-item-count, x-ms-continuation, x-ms-item-type).
struct QueryApi {
    // Twins that one page looks through; a page that found less goes on with its continuation.
    static constexpr std::size_t max_scanned = 10'000;
    // JSON of one page; a row beyond it is refused.
    static constexpr std::size_t max_page_bytes = 1024 * 1024;

    const hub::Twins& twins;
    const hub::Service& service;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
