#include "base/file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/errors.hpp"
#include "base/fail_point.hpp"

namespace mitral::base {
namespace {

Result<std::size_t> bounded_size(int fd, const std::string& path, std::size_t limit) {
    struct stat status{};
    if (fstat(fd, &status) != 0)
        return fail_errno("stat " + path);
    if (!S_ISREG(status.st_mode))
        return fail(BaseError::malformed, path + " is not a regular file");
    if (static_cast<std::uint64_t>(status.st_size) > limit)
        return fail(BaseError::too_large,
                    path + " is larger than " + std::to_string(limit) + " bytes");
    return static_cast<std::size_t>(status.st_size);
}

Result<std::size_t> read_some(int fd, MutableByteView into, const std::string& path) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const ssize_t count = ::read(fd, into.data() + filled, into.size() - filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno("read " + path);
        if (count == 0)
            break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

// Beside `path`; open, so that the caller may sync it.
Result<UniqueFd> write_beside(const std::string& temporary, ByteView content, mode_t mode) {
    (void)::unlink(temporary.c_str());
    MITRAL_TRY(auto fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
    if (fchmod(fd.get(), mode) != 0)  // the umask must not decide who reads it
        return fail_errno("chmod " + temporary);
    MITRAL_FAIL_POINT_AT("replace-file.write", temporary);
    if (auto written = write_all(fd.get(), content); !written)
        return fail_with("write " + temporary, written.error());
    return fd;
}

Status rename_over(const std::string& temporary, const std::string& path) {
    MITRAL_FAIL_POINT_AT("replace-file.rename", temporary);
    if (MITRAL_CALL_FAILS() || ::rename(temporary.c_str(), path.c_str()) != 0)
        return fail_errno("rename " + temporary);
    return {};
}

}  // namespace

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd.valid())
        return fail_errno("open " + path);
    return fd;
}

Result<Bytes> read_file(const std::string& path, std::size_t limit) {
    MITRAL_TRY(const auto fd,
               open_file(path, O_RDONLY | O_NONBLOCK));  // a planted FIFO must not hold us
    MITRAL_TRY(const auto size, bounded_size(fd.get(), path, limit));
    Bytes content(size);
    MITRAL_TRY(const auto filled, read_some(fd.get(), content, path));
    content.resize(filled);
    return content;
}

Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
    MITRAL_TRY(const auto content, read_file(path, limit));
    return std::string(as_text(content));
}

Result<Secret> read_secret_file(const std::string& path, std::size_t limit) {
    MITRAL_TRY(const auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
    MITRAL_TRY(const auto size, bounded_size(fd.get(), path, limit));
    Secret content(size);
    MITRAL_TRY(const auto filled, read_some(fd.get(), content.bytes(), path));
    content.shrink(filled);
    return content;
}

Status replace_file(const std::string& path, ByteView content, mode_t mode) {
    const std::string temporary = path + ".new";
    {
        MITRAL_TRY(const auto fd, write_beside(temporary, content, mode));
        MITRAL_FAIL_POINT_AT("replace-file.sync", temporary);
        if (MITRAL_CALL_FAILS() || fsync(fd.get()) != 0)
            return fail_errno("sync " + temporary);
    }
    MITRAL_CHECK(rename_over(temporary, path));
    MITRAL_FAIL_POINT_AT("replace-file.sync-directory", temporary);
    return sync_directory(parent_of(path));
}

Status replace_passing_file(const std::string& path, ByteView content, mode_t mode) {
    const std::string temporary = path + ".new";
    MITRAL_CHECK(write_beside(temporary, content, mode));
    return rename_over(temporary, path);
}

Status sync_directory(const std::string& directory) {
    const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid())
        return fail_errno("open directory " + directory);
    if (MITRAL_CALL_FAILS() || fsync(fd.get()) != 0)
        return fail_errno("sync directory " + directory);
    return {};
}

Status make_directory(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0)
        return sync_directory(parent_of(path));
    if (errno != EEXIST)
        return fail_errno("make directory " + path);
    return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory)
        return fail_errno("list " + path);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..")
            names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Status write_all(int fd, ByteView content) {
    while (!content.empty()) {
        const ssize_t count = MITRAL_CALL_FAILS()
                                  ? -1
                                  : ::write(fd, content.data(), MITRAL_CALL_SIZE(content.size()));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno("write");
        content = content.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace mitral::base
