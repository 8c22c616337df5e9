// Small files read whole and replaced atomically. Paths are plain strings: no exceptions from
// std::filesystem.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::base {

// Opens with O_CLOEXEC | O_NOFOLLOW added.
[[nodiscard]] Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0);

// Refuses a file larger than `limit` bytes.
[[nodiscard]] Result<Bytes> read_file(const std::string& path, std::size_t limit);
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::size_t limit);
[[nodiscard]] Result<Secret> read_secret_file(const std::string& path, std::size_t limit);

// Writes beside the target, syncs, renames over it and syncs the directory: after a power cut the
// file holds the old content or the new, never a part of either.
[[nodiscard]] Status replace_file(const std::string& path, ByteView content, mode_t mode);

// The same for a file that need not outlive the power, such as a status in /run: whoever reads it
// finds the old content or the new, and nothing waits for a disk.
[[nodiscard]] Status replace_passing_file(const std::string& path, ByteView content, mode_t mode);

// Makes a rename, a creation or a removal in `directory` durable.
[[nodiscard]] Status sync_directory(const std::string& directory);
[[nodiscard]] Status make_directory(const std::string& path, mode_t mode);  // one level, may exist
[[nodiscard]] Result<std::vector<std::string>> list_directory(
    const std::string& path);  // sorted names
[[nodiscard]] Status write_all(int fd, ByteView content);

}  // namespace mitral::base
