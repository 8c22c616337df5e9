// Stands in for base/sandbox.cpp: no cage.
#include "base/sandbox.hpp"
#include "bench/plain/marker.hpp"

namespace mitral::base {

Result<SandboxReport> enter_sandbox(const SandboxPolicy&) {
    return SandboxReport{};
}

}  // namespace mitral::base
