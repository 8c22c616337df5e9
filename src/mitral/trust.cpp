#include "mitral/trust.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "mitral/secret_files.hpp"
#include "net/trust.hpp"

namespace mitral::cli {
namespace {

constexpr std::size_t max_root_file = 64 * 1024;

// One entry a place: the two programs usually share it.
std::vector<net::TrustSettings> places_of(const UnitSettings& settings) {
    std::vector<net::TrustSettings> places;
    const auto add = [&](const net::TrustSettings& trust) {
        const bool known = std::ranges::any_of(
            places, [&](const auto& place) { return place.bundle_file == trust.bundle_file; });
        if (!trust.bundle_file.empty() && !known)
            places.push_back(trust);
    };
    if (settings.enrol)
        add(settings.enrol->trust);
    if (settings.uplink)
        add(settings.uplink->trust);
    return places;
}

}  // namespace

base::Result<std::string> sign_trust(const TrustSignArguments& arguments) {
    net::TrustBundle bundle{arguments.version, {}};
    for (const std::string& file : arguments.root_files) {
        MITRAL_TRY(const auto pem, base::read_text_file(file, max_root_file));
        bundle.roots_pem.append(pem);
    }
    MITRAL_TRY(const auto key, read_station_key(arguments.key_file));
    return net::sign_trust_bundle(bundle, key);
}

base::Result<std::uint64_t> install_trust(const UnitSettings& settings,
                                          const std::string& bundle_file) {
    const auto places = places_of(settings);
    if (places.empty())
        return base::fail(
            base::BaseError::invalid_setting,
            "the configuration names no trust_bundle; set it in [enrol] and [uplink]");
    MITRAL_TRY(const auto text, base::read_text_file(bundle_file, net::max_bundle_size));
    std::uint64_t version = 0;
    for (const auto& place : places) {
        MITRAL_TRY(const auto bundle, net::install_trust_bundle(place, text));
        version = bundle.version;
    }
    return version;
}

}  // namespace mitral::cli
