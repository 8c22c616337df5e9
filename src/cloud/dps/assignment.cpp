#include "cloud/dps/assignment.hpp"

#include "base/crypto.hpp"

namespace mitral::cloud::dps {

std::string allocated_hub(const Enrollment& enrollment, std::string_view registration_id) {
    const auto& hubs = enrollment.hubs;
    if (hubs.empty() || enrollment.allocation == "static")
        return hubs.empty() ? std::string() : hubs.front();
    const auto digest = base::sha256(base::as_bytes(registration_id));
    return hubs[digest[0] % hubs.size()];
}

}  // namespace mitral::cloud::dps
