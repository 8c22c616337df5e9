#include <algorithm>

#include "azure/text.hpp"
#include "cloud/adu/import_manifest.hpp"

namespace mitral::cloud::adu {
namespace {

// "deviceManufacturer", "DeviceManufacturer" → "manufacturer"
std::string plain_name(std::string_view name) {
    auto plain = azure::to_lower(name);
    constexpr std::string_view prefix = "device";
    if (plain.size() > prefix.size() && plain.starts_with(prefix))
        plain.erase(0, prefix.size());
    return plain;
}

}  // namespace

bool is_compatible(const ImportManifest& update, const Compatibility& device) {
    Compatibility known;
    for (const auto& [name, value] : device)
        known[plain_name(name)] = value;
    return std::any_of(update.compatibility.begin(), update.compatibility.end(),
                       [&](const Compatibility& set) {
                           return std::all_of(set.begin(), set.end(), [&](const auto& property) {
                               const auto found = known.find(plain_name(property.first));
                               return found != known.end() && found->second == property.second;
                           });
                       });
}

}  // namespace mitral::cloud::adu
