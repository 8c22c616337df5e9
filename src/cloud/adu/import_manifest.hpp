// The import manifest of Device Update, schema 5.0 (and 4.0, which has the same shape): what an
// update is, which devices it fits, its steps and its files. Hostile input, with the bounds of
// "Device Update import schema".
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace mitral::cloud::adu {

inline constexpr std::size_t max_import_manifest = 128 * 1024;
inline constexpr std::int64_t max_update_bytes = std::int64_t{2} * 1024 * 1024 * 1024;

struct UpdateId {
    std::string provider{};
    std::string name{};
    std::string version{};  // two to four numbers

    auto operator<=>(const UpdateId&) const = default;
    [[nodiscard]] std::string text() const { return provider + "/" + name + "/" + version; }
};
// Fails with invalid_argument.
[[nodiscard]] base::Status check_id(const UpdateId& id);
[[nodiscard]] bool is_older(std::string_view version, std::string_view than);

struct FileDescription {
    std::string name{};
    std::int64_t size = 0;
    std::string sha256{};  // base64
    std::map<std::string, std::string> properties{};
};

struct UpdateFile : FileDescription {
    std::vector<FileDescription> related{};  // delta sources and the like
    std::string download_handler{};          // empty: none
};

struct Step {
    std::string description{};
    std::string handler{};             // empty: a reference
    std::string handler_properties{};  // JSON object
    std::vector<std::string> files{};  // names
    UpdateId reference{};
};

using Compatibility = std::map<std::string, std::string>;

struct ImportManifest {
    UpdateId id{};
    std::string description{};
    bool deployable = true;
    std::vector<Compatibility> compatibility{};
    std::vector<Step> steps{};
    std::vector<UpdateFile> files{};
    std::string schema_version{};
    std::string created{};
};

// Fails with invalid_argument (the text names the place) or too_large.
[[nodiscard]] base::Result<ImportManifest> parse_import_manifest(std::string_view text);

// Whether all properties of one of the update's sets stand among a device's. Names are compared as
// the field writes them: "manufacturer", "deviceManufacturer" and "DeviceManufacturer" are one.
[[nodiscard]] bool is_compatible(const ImportManifest& update, const Compatibility& device);

}  // namespace mitral::cloud::adu
