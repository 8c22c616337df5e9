// The parts of a twin as documents: merge patches, the metadata that follows them, and the limits
// of "Understand and use device twins in IoT Hub". Pure functions over JSON text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::cloud::hub {

enum class TwinPart : std::uint8_t { tags, desired, reported };

// Limits of one part. Sizes count the characters of keys and strings, 8 for a number, 4 for a
// boolean.
inline constexpr std::size_t max_tags = 8 * 1024;
inline constexpr std::size_t max_properties_size = 32 * 1024;  // desired, reported: each
inline constexpr std::size_t max_twin_key = 1024;              // bytes
inline constexpr std::size_t max_twin_string = 4 * 1024;       // bytes
inline constexpr std::size_t max_twin_depth = 10;              // objects below the part
inline constexpr std::int64_t max_twin_integer = (std::int64_t{1} << 52) - 1;
inline constexpr std::int64_t min_twin_integer = -(std::int64_t{1} << 52);
// Text of a patch: a full part in which every character is escaped, and its keys set to null.
inline constexpr std::size_t max_patch_text = 256 * 1024;

struct TwinSection {
    std::string values = "{}";  // JSON object
    std::string metadata{};     // JSON object; empty: never written. Tags have none
    std::int64_t version = 1;
};

struct TwinStep {
    TwinSection after;
    std::string patch;  // the merge patch (RFC 7396) from the section before to `after`
};

// Both fail with invalid_argument, or too_large beyond the part's size; the text says where.
// Members
// "$version" and "$metadata" of the top level are passed over: clients send back what they read.

// Merges; null removes.
[[nodiscard]] base::Result<TwinStep> patched(TwinPart part, const TwinSection& before,
                                             std::string_view patch, base::WallTime now);
// Puts `document` in the place of all that was.
[[nodiscard]] base::Result<TwinStep> replaced(TwinPart part, const TwinSection& before,
                                              std::string_view document, base::WallTime now);

// {…,"$version":4}: what a device reads, and what is pushed to it.
[[nodiscard]] std::string with_version(std::string_view object, std::int64_t version);
// {…,"$metadata":{…},"$version":4}: what the service reads.
[[nodiscard]] std::string with_metadata(const TwinSection& section);

}  // namespace mitral::cloud::hub
