// What the linker (--wrap) puts in front of the system calls: see recorder.hpp. Without a recorder
// each goes through.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "spool/power_cut/recorder.hpp"

using mitral::base::ByteView;
using mitral::spool::test::Recorder;
using Kind = mitral::spool::test::Operation::Kind;

// The names are the linker's, not ours.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,cert-dcl50-cpp)
extern "C" {
int __real_open(const char* path, int flags, ...);
int __real_mkdir(const char* path, mode_t mode);
int __real_rename(const char* from, const char* to);
int __real_unlink(const char* path);
ssize_t __real_write(int fd, const void* data, size_t size);
ssize_t __real_pwrite(int fd, const void* data, size_t size, off_t offset);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);

int __wrap_open(const char* path, int flags, ...);
int __wrap_mkdir(const char* path, mode_t mode);
int __wrap_rename(const char* from, const char* to);
int __wrap_unlink(const char* path);
ssize_t __wrap_write(int fd, const void* data, size_t size);
ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
}

namespace {

Recorder* recorder_of(const char* path) {
    auto* recorder = Recorder::active();
    return recorder != nullptr && recorder->covers(path) ? recorder : nullptr;
}

Recorder* recorder_of(int fd) {
    auto* recorder = Recorder::active();
    return recorder != nullptr && recorder->covers(fd) ? recorder : nullptr;
}

bool fails(Recorder& recorder, Kind kind) {
    const int error = recorder.failure(kind);
    if (error != 0)
        errno = error;
    return error != 0;
}

template <typename Call, typename Note>
int make(const char* path, Kind kind, const Call& call, const Note& note) {
    auto* recorder = recorder_of(path);
    if (recorder == nullptr)
        return call();
    if (fails(*recorder, kind))
        return -1;
    const int result = call();
    if (result >= 0)
        note(*recorder);
    return result;
}

ssize_t put(int fd, const void* data, size_t size, off_t offset) {
    auto* recorder = recorder_of(fd);
    if (recorder == nullptr)
        return __real_pwrite(fd, data, size, offset);
    const bool was_killed = recorder->killed();
    const bool fail = fails(*recorder, Kind::write);
    const auto place = static_cast<std::uint64_t>(offset);
    if (was_killed || (fail && size < 2))
        return -1;
    if (fail)
        size /= 2;
    const auto written = __real_pwrite(fd, data, size, offset);
    if (written > 0)
        recorder->changed(
            fd, Kind::write, place,
            ByteView(static_cast<const std::uint8_t*>(data), static_cast<size_t>(written)));
    return fail ? -1 : written;
}

template <typename Call>
int sync(int fd, const Call& call) {
    auto* recorder = recorder_of(fd);
    if (recorder == nullptr)
        return call();
    const bool was_killed = recorder->killed();
    if (fails(*recorder, Kind::sync)) {
        const int error = errno;
        if (!was_killed)
            recorder->changed(fd, Kind::failed_sync, 0, {});
        errno = error;
        return -1;
    }
    recorder->changed(fd, Kind::sync, 0, {});  // the directory of these tests is in memory
    return 0;
}

}  // namespace

extern "C" {

int __wrap_open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        std::va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    const auto call = [&] { return __real_open(path, flags, mode); };
    struct stat status{};
    if ((flags & O_CREAT) == 0 || ::lstat(path, &status) == 0)
        return call();
    return make(path, Kind::make_file, call,
                [&](Recorder& recorder) { recorder.made(path, false); });
}

int __wrap_mkdir(const char* path, mode_t mode) {
    return make(
        path, Kind::make_directory, [&] { return __real_mkdir(path, mode); },
        [&](Recorder& recorder) { recorder.made(path, true); });
}

int __wrap_rename(const char* from, const char* to) {
    return make(
        to, Kind::rename, [&] { return __real_rename(from, to); },
        [&](Recorder& recorder) { recorder.renamed(from, to); });
}

int __wrap_unlink(const char* path) {
    struct stat status{};
    if (::lstat(path, &status) != 0)
        return __real_unlink(path);
    return make(
        path, Kind::remove, [&] { return __real_unlink(path); },
        [&](Recorder& recorder) { recorder.removed(path); });
}

ssize_t __wrap_pwrite(int fd, const void* data, size_t size, off_t offset) {
    return put(fd, data, size, offset);
}

ssize_t __wrap_write(int fd, const void* data, size_t size) {
    if (recorder_of(fd) == nullptr)
        return __real_write(fd, data, size);
    const auto written = put(fd, data, size, ::lseek(fd, 0, SEEK_CUR));
    if (written > 0)
        (void)::lseek(fd, written, SEEK_CUR);
    return written;
}

int __wrap_ftruncate(int fd, off_t size) {
    auto* recorder = recorder_of(fd);
    if (recorder != nullptr && fails(*recorder, Kind::truncate))
        return -1;
    const int result = __real_ftruncate(fd, size);
    if (result == 0 && recorder != nullptr)
        recorder->changed(fd, Kind::truncate, static_cast<std::uint64_t>(size), {});
    return result;
}

int __wrap_fsync(int fd) {
    return sync(fd, [fd] { return __real_fsync(fd); });
}

int __wrap_fdatasync(int fd) {
    return sync(fd, [fd] { return __real_fdatasync(fd); });
}
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,cert-dcl50-cpp)
