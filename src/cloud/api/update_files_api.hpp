#pragma once

#include "cloud/adu/device_update.hpp"
#include "cloud/http/router.hpp"

namespace mitral::cloud::api {

// What devices download: files of imported updates by their id, and the root-key package. For
// anyone, as in Azure: what a device installs is decided by hash and signature. One range of bytes
// may be asked for (RFC 9110 §14).
struct UpdateFilesApi {
    adu::DeviceUpdate& service;

    void mount(http::Router& router) const;
};

inline constexpr std::string_view update_files_path = "/update-files/";

struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t size = 0;
};
enum class RangeKind : std::uint8_t { whole, part, unsatisfiable };
// The header of a request for something of `total` bytes. Several ranges, and what is not
// understood, mean the whole.
[[nodiscard]] RangeKind read_range(std::string_view header, std::uint64_t total, ByteRange& range);

}  // namespace mitral::cloud::api
