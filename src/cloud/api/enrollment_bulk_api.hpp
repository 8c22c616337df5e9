#pragma once

#include "cloud/dps/enrollments.hpp"
#include "cloud/http/router.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::api {

// POST /enrollments and POST /enrollmentGroups: up to ten at once with one mode. All are tried;
// what failed stands in "errors".
struct EnrollmentBulkApi {
    static constexpr std::size_t max_entries = 10;

    dps::Enrollments& enrollments;
    const hub::Authenticator& authenticator;

    void mount(http::Router& router) const;
};

}  // namespace mitral::cloud::api
