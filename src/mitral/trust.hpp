// `mitral trust`: rolls the pinned roots over in the field (net/trust.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "mitral/settings.hpp"

namespace mitral::cli {

struct TrustSignArguments {
    std::uint64_t version = 0;
    std::string key_file;  // the authority's Ed25519 key
    std::vector<std::string> root_files;
};

// The bundle's text. For the fleet's side: no unit needs it.
[[nodiscard]] base::Result<std::string> sign_trust(const TrustSignArguments& arguments);

// Puts the bundle where [enrol] and [uplink] look for it, each judging it by its own key and by
// what it has; yields the bundle's version. They use it from their next start.
[[nodiscard]] base::Result<std::uint64_t> install_trust(const UnitSettings& settings,
                                                        const std::string& bundle_file);

}  // namespace mitral::cli
