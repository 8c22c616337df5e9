// Where files wait for their import: the stand-in for the storage account from which Azure reads
// them. They come in pieces, as a request of this server has at most 1 MiB.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::adu {

class Incoming {
  public:
    static constexpr std::size_t max_name = 255;
    static constexpr std::int64_t max_bytes = std::int64_t{4} * 1024 * 1024 * 1024;  // all together
    static constexpr std::size_t max_files = 64;

    explicit Incoming(std::string directory) : directory_(std::move(directory)) {}

    // Offset 0 begins anew; any other one must be the size so far. Yields the size after. Fails
    // with invalid_argument, stale_etag (another offset) or too_large.
    [[nodiscard]] base::Result<std::int64_t> put(std::string_view name, std::int64_t offset,
                                                 base::ByteView piece);
    // The name on disk is a digest of the name outside.
    [[nodiscard]] std::string path(std::string_view name) const;
    void remove(std::string_view name) const;

  private:
    [[nodiscard]] base::Status check_room(std::size_t more) const;
    std::string directory_;
};

}  // namespace mitral::cloud::adu
