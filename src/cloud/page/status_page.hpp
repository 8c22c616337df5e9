#pragma once

#include <string_view>

#include "cloud/http/router.hpp"

namespace mitral::cloud::page {

extern const std::string_view html;
extern const std::string_view style;
extern const std::string_view script;

// The status page at "/", with its two files; it reads what the admin port tells anyway. Nothing
// else may be loaded or run in it.
void mount(http::Router& admin);

// False for what a page of another site makes a browser ask for: by its Origin, or by a name of its
// own that it points to this machine. The admin port has no other guard.
[[nodiscard]] bool is_from_this_machine(const http::Request& request);
[[nodiscard]] http::Response refusal();

}  // namespace mitral::cloud::page
