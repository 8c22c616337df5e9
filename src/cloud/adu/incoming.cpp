#include "cloud/adu/incoming.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "base/file.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::adu {

std::string Incoming::path(std::string_view name) const {
    return directory_ + "/" + base::to_hex(base::sha256(base::as_bytes(name)));
}

void Incoming::remove(std::string_view name) const {
    (void)::unlink(path(name).c_str());
}

base::Status Incoming::check_room(std::size_t more) const {
    MITRAL_TRY(const auto names, base::list_directory(directory_));
    auto total = static_cast<std::int64_t>(more);
    for (const auto& name : names) {
        struct stat info{};
        if (::lstat((directory_ + "/" + name).c_str(), &info) == 0)
            total += info.st_size;
    }
    if (names.size() > max_files || total > max_bytes)
        return base::fail(CloudError::too_large, "too much waits for import");
    return {};
}

base::Result<std::int64_t> Incoming::put(std::string_view name, std::int64_t offset,
                                         base::ByteView piece) {
    if (name.empty() || name.size() > max_name || offset < 0)
        return base::fail(CloudError::invalid_argument, "name or offset");
    MITRAL_CHECK(base::make_directory(directory_, 0700));
    MITRAL_CHECK(check_room(piece.size()));
    if (offset == 0)
        remove(name);
    const int flags = O_WRONLY | O_APPEND | (offset == 0 ? O_CREAT | O_EXCL : 0);
    const auto file = base::open_file(path(name), flags, 0600);
    struct stat info{};
    if (offset == 0 && !file)
        return std::unexpected(file.error());
    if (file && ::fstat(file->get(), &info) != 0)
        return base::fail_errno("look at a file that comes in");
    if (info.st_size != offset)
        return base::fail(CloudError::stale_etag,
                          "the file has " + std::to_string(info.st_size) + " bytes so far");
    MITRAL_CHECK(base::write_all(file->get(), piece));
    return offset + static_cast<std::int64_t>(piece.size());
}

}  // namespace mitral::cloud::adu
