// The update manifest, version 5, as a device gets it: the text that the signature covers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/adu/import_manifest.hpp"

namespace mitral::cloud::adu {

struct IdentifiedFile {
    std::string id;
    FileDescription file;
};

struct DeviceManifestParts {
    std::map<std::string, std::string> ids;  // of the update's files, by name
    std::vector<IdentifiedFile> children;    // manifests of the reference steps, in their order
};

[[nodiscard]] std::string device_manifest(const ImportManifest& update,
                                          const DeviceManifestParts& parts);

// Stands for a manifest that a twin cannot hold: it names the file with the whole one.
[[nodiscard]] std::string detached_manifest(const ImportManifest& update,
                                            const IdentifiedFile& whole);

// A string in a twin has at most 4 KiB.
inline constexpr std::size_t max_manifest_in_twin = 4 * 1024;

}  // namespace mitral::cloud::adu
