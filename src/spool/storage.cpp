#include "spool/storage.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fail_point.hpp"
#include "base/file.hpp"

namespace mitral::spool {

base::Result<base::UniqueFd> Storage::create(const std::string& path, mode_t mode, int group_id) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return base::fail_errno("remove " + path);
    if (MITRAL_CALL_FAILS())
        return base::fail_errno("create " + path);
    MITRAL_TRY(auto fd, base::open_file(path, O_RDWR | O_CREAT | O_EXCL, mode));
    if (fchmod(fd.get(), mode) != 0)
        return base::fail_errno("chmod " + path);
    if (group_id >= 0 &&
        fchown(fd.get(), static_cast<uid_t>(-1), static_cast<gid_t>(group_id)) != 0)
        return base::fail_errno("give " + path + " to group " + std::to_string(group_id) +
                                " (is the user a member?)");
    return fd;
}

base::Status Storage::write(int fd, base::ByteView content, std::uint64_t offset) {
    while (!content.empty()) {
        const ssize_t count = MITRAL_CALL_FAILS()
                                  ? -1
                                  : ::pwrite(fd, content.data(), MITRAL_CALL_SIZE(content.size()),
                                             static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return base::fail_errno("write segment");
        content = content.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

base::Status Storage::sync(int fd) {
    if (MITRAL_CALL_FAILS() || fdatasync(fd) != 0)
        return base::fail_errno("sync segment");
    return {};
}

base::Status Storage::truncate(int fd, std::uint64_t size) {
    if (MITRAL_CALL_FAILS() || ftruncate(fd, static_cast<off_t>(size)) != 0)
        return base::fail_errno("truncate segment");
    return {};
}

base::Status Storage::rename(const std::string& from, const std::string& to) {
    if (MITRAL_CALL_FAILS() || ::rename(from.c_str(), to.c_str()) != 0)
        return base::fail_errno("rename " + from);
    return {};
}

base::Status Storage::remove(const std::string& path) {
    if (MITRAL_CALL_FAILS() || (::unlink(path.c_str()) != 0 && errno != ENOENT))
        return base::fail_errno("remove " + path);
    return {};
}

base::Status Storage::sync_directory(const std::string& path) {
    return base::sync_directory(path);
}

Storage& Storage::system() noexcept {
    static Storage storage;
    return storage;
}

}  // namespace mitral::spool
