#include "spool/lane_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "base/crypto.hpp"
#include "base/file.hpp"
#include "spool/errors.hpp"

namespace mitral::spool {
namespace {

constexpr std::uint64_t stream_magic = 0x4D495452'53545201;  // "MITRSTR", version 1
constexpr std::size_t stream_file_size = 20;
constexpr std::size_t name_digits = 20;
constexpr std::string_view segment_suffix = ".seg";

base::Status set_permissions(const std::string& path, int group_id) {
    if (::chmod(path.c_str(), spool_directory_mode) != 0)  // whatever the umask left
        return base::fail_errno("chmod " + path);
    if (group_id >= 0 &&
        ::chown(path.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(group_id)) != 0)
        return base::fail_errno("give " + path + " to group " + std::to_string(group_id) +
                                " (is the user a member?)");
    return {};
}

// Whoever made it may have been killed before its name was durable. A parent that we may not open
// was not ours to write in.
base::Status sync_name(Storage& storage, const std::string& path) {
    const auto slash = path.rfind('/');
    const auto parent =
        slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    auto synced = storage.sync_directory(parent);
    if (!synced && synced.error().code == std::errc::permission_denied)
        return {};
    return synced;
}

bool exists(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

base::Bytes encode_stream(std::uint64_t stream) {
    base::ByteWriter out;
    out.u64(stream_magic).u64(stream);
    out.u32(base::crc32c(out.bytes()));
    return std::move(out).bytes();
}

base::Status write_stream(Storage& storage, const std::string& directory, std::uint64_t stream,
                          int group_id) {
    const auto path = directory + "/" + std::string(stream_file);
    MITRAL_TRY(const auto fd, storage.create(path, spool_file_mode, group_id));
    MITRAL_CHECK(storage.write(fd.get(), encode_stream(stream), 0));
    MITRAL_CHECK(storage.sync(fd.get()));
    return storage.sync_directory(directory);
}

}  // namespace

std::string lane_path(const std::string& spool_directory, Lane lane) {
    return spool_directory + "/" + std::string(to_string(lane));
}

std::string segment_name(std::uint64_t first_sequence) {
    auto digits = std::to_string(first_sequence);
    return std::string(name_digits - digits.size(), '0') + digits + std::string(segment_suffix);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) noexcept {
    if (name.size() != name_digits + segment_suffix.size() || !name.ends_with(segment_suffix))
        return std::nullopt;
    std::uint64_t first = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name_digits, first);
    if (error != std::errc{} || end != name.data() + name_digits || first == 0)
        return std::nullopt;
    return first;
}

base::Result<std::vector<std::uint64_t>> list_segments(const std::string& lane_directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(lane_directory.c_str()),
                                                        ::closedir);
    if (!directory)
        return base::fail_errno("list " + lane_directory);
    std::vector<std::uint64_t> found;
    while (const dirent* entry = ::readdir(directory.get())) {
        const auto first = parse_segment_name(entry->d_name);
        if (!first)
            continue;
        if (found.size() == max_segments)
            return base::fail(SpoolError::damaged, lane_directory + " holds too many segments");
        found.push_back(*first);
    }
    std::sort(found.begin(), found.end());
    return found;
}

base::Result<std::uint64_t> read_stream(const std::string& lane_directory) {
    const auto path = lane_directory + "/" + std::string(stream_file);
    MITRAL_TRY(const auto fd, base::open_file(path, O_RDONLY | O_NONBLOCK));
    std::array<std::uint8_t, stream_file_size + 1> buffer{};
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0)
        return base::fail_errno("read " + path);
    const auto content = base::ByteView(buffer).first(stream_file_size);
    base::ByteReader in(content);
    const auto magic = in.u64();
    const auto stream = in.u64();
    const auto checksum = in.u32();
    if (count != static_cast<ssize_t>(stream_file_size) || magic != stream_magic ||
        checksum != base::crc32c(content.first(stream_file_size - 4)))
        return base::fail(SpoolError::damaged, path + " is not a stream number");
    return *stream;
}

base::Status make_spool_directory(Storage& storage, const std::string& path, int group_id) {
    if (exists(path))
        return sync_name(storage, path);
    MITRAL_CHECK(base::make_directory(path, 0700));
    return set_permissions(path, group_id);
}

base::Result<std::uint64_t> make_lane(Storage& storage, const std::string& spool_directory,
                                      Lane lane, int group_id) {
    const auto path = lane_path(spool_directory, lane);
    if (exists(path)) {
        MITRAL_CHECK(sync_name(storage, path));
        return read_stream(path);
    }
    const auto unfinished = path + std::string(unfinished_suffix);
    MITRAL_CHECK(storage.remove(unfinished + "/" + std::string(stream_file)));
    MITRAL_CHECK(base::make_directory(unfinished, 0700));
    const auto stream = base::random_u64();
    MITRAL_CHECK(set_permissions(unfinished, group_id));
    MITRAL_CHECK(write_stream(storage, unfinished, stream, group_id));  // and syncs both
    MITRAL_CHECK(storage.rename(unfinished, path));
    MITRAL_CHECK(storage.sync_directory(spool_directory));
    return stream;
}

}  // namespace mitral::spool
