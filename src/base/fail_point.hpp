// Named places at which the torture run (docs/testing.md) holds a process while a fault happens.
// Only builds with MITRAL_FAIL_POINTS have them: everywhere else they are nothing, which a test
// looks for in the binaries.
#pragma once

#ifndef MITRAL_FAIL_POINTS

#define MITRAL_FAIL_POINTS_JOIN() static_cast<void>(0)
#define MITRAL_FAIL_POINT(name) static_cast<void>(0)
#define MITRAL_FAIL_POINT_AT(name, path) static_cast<void>(0)
#define MITRAL_CALL_FAILS() false
#define MITRAL_CALL_SIZE(size) (size)

#else

#include <cstddef>
#include <string_view>

namespace mitral::base::fail_point {

// Connects to the torture run's socket (SOCK_SEQPACKET, its path in MITRAL_TORTURE). Once, before
// the sandbox closes; without the variable no point ever holds.
void join() noexcept;

// Waits for the run's verdict if the run asked for this point. `part` is appended: "name:part".
void reach(std::string_view name, std::string_view part = {}) noexcept;

// The verdict "errno" of the last point, for the system call that follows: sets errno.
[[nodiscard]] bool call_fails() noexcept;
// The verdict "short": how much of `size` the write that follows makes.
[[nodiscard]] std::size_t call_size(std::size_t size) noexcept;

[[nodiscard]] std::string_view last_part(std::string_view path) noexcept;

}  // namespace mitral::base::fail_point

#define MITRAL_FAIL_POINTS_JOIN() ::mitral::base::fail_point::join()
#define MITRAL_FAIL_POINT(name) ::mitral::base::fail_point::reach(name)
   // One name per file: "replace-file.sync:assignment.json".
#define MITRAL_FAIL_POINT_AT(name, path) \
    ::mitral::base::fail_point::reach(name, ::mitral::base::fail_point::last_part(path))
#define MITRAL_CALL_FAILS() ::mitral::base::fail_point::call_fails()
#define MITRAL_CALL_SIZE(size) ::mitral::base::fail_point::call_size(size)

#endif
