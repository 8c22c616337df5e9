// Names inside a spool directory, and the making of a lane.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "spool/lane.hpp"
#include "spool/storage.hpp"

namespace mitral::spool {

constexpr mode_t spool_directory_mode = 0750;
constexpr mode_t spool_file_mode = 0640;
constexpr std::string_view unfinished_suffix =
    ".new";  // a file that has not been renamed into place
constexpr std::string_view stream_file = "stream";

[[nodiscard]] std::string lane_path(const std::string& spool_directory, Lane lane);
// 20 digits, so that names sort by number, and ".seg".
[[nodiscard]] std::string segment_name(std::uint64_t first_sequence);
[[nodiscard]] std::optional<std::uint64_t> parse_segment_name(std::string_view name) noexcept;

// First sequences of the segments in an open directory, rising; other names are passed over. At
// most max_segments: a directory with more is no spool of ours (SpoolError::damaged).
constexpr std::size_t max_segments = 100'000;
[[nodiscard]] base::Result<std::vector<std::uint64_t>> list_segments(
    const std::string& lane_directory);

// The random number in a lane's `stream` file.
[[nodiscard]] base::Result<std::uint64_t> read_stream(const std::string& lane_directory);

// Makes the spool directory (one level) with its permissions.
[[nodiscard]] base::Status make_spool_directory(Storage& storage, const std::string& path,
                                                int group_id);
// Makes the lane in one step (a rename): it is there with its stream number, or it is not there.
// Leaves an existing lane alone. Returns its stream number.
[[nodiscard]] base::Result<std::uint64_t> make_lane(Storage& storage,
                                                    const std::string& spool_directory, Lane lane,
                                                    int group_id);

}  // namespace mitral::spool
