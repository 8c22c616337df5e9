// The system calls by which the writer changes the disk, behind an interface: tests make them fail,
// and play a power cut by forgetting what was not synced.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

namespace mitral::spool {

class Storage {
  public:
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    virtual ~Storage() = default;

    [[nodiscard]] virtual base::Result<base::UniqueFd> create(const std::string& path, mode_t mode,
                                                              int group_id);
    // All of `content`, or an error.
    [[nodiscard]] virtual base::Status write(int fd, base::ByteView content, std::uint64_t offset);
    [[nodiscard]] virtual base::Status sync(int fd);
    [[nodiscard]] virtual base::Status truncate(int fd, std::uint64_t size);
    [[nodiscard]] virtual base::Status rename(const std::string& from, const std::string& to);
    [[nodiscard]] virtual base::Status remove(const std::string& path);
    [[nodiscard]] virtual base::Status sync_directory(const std::string& path);

    [[nodiscard]] static Storage& system() noexcept;
};

}  // namespace mitral::spool
