// What every daemon does first and last.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace mitral::base {

// No core dumps, not dumpable (so not traceable by its own user), umask 0077, SIGPIPE ignored.
[[nodiscard]] Status harden_process();

// READY=1 to the service manager, when one is waiting (sd_notify(3) protocol).
void notify_ready();

// Prints `program: message` on standard error and returns the exit status for main.
[[nodiscard]] int exit_with(std::string_view program, const Error& error);

// A user by name or by number.
[[nodiscard]] Result<unsigned> user_id(const std::string& name_or_number);
[[nodiscard]] Result<unsigned> group_id(const std::string& name_or_number);

}  // namespace mitral::base
