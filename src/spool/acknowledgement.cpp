#include "spool/acknowledgement.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "base/crypto.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "spool/segment_format.hpp"

namespace mitral::spool {
namespace {

constexpr std::uint64_t magic = 0x4D495452'41434B01;  // "MITRACK", version 1
constexpr std::size_t file_size = 28;
constexpr mode_t file_mode = 0644;  // the writer is another user; a position is no secret

std::string writer_name(std::string directory) {
    while (directory.size() > 1 && directory.back() == '/')
        directory.pop_back();
    const auto slash = directory.rfind('/');
    return slash == std::string::npos ? directory : directory.substr(slash + 1);
}

}  // namespace

std::string acknowledgement_path(const std::string& directory, const std::string& spool_directory,
                                 Lane lane) {
    return directory + "/" + writer_name(spool_directory) + "-" + std::string(to_string(lane)) +
           ".ack";
}

base::Result<std::optional<RecordId>> read_acknowledgement(const std::string& path) {
    // Without O_NONBLOCK a FIFO in the file's place would stop the reader for good.
    auto fd = base::open_file(path, O_RDONLY | O_NONBLOCK);
    if (!fd) {
        if (fd.error().code == std::errc::no_such_file_or_directory)
            return std::nullopt;
        return std::unexpected(std::move(fd).error());
    }
    std::array<std::uint8_t, file_size + 1> buffer{};
    const ssize_t count = ::read(fd->get(), buffer.data(), buffer.size());
    if (count < 0)
        return base::fail_errno("read " + path);
    const auto malformed = [&] {
        return base::fail(base::BaseError::malformed, path + " is not an acknowledged position");
    };
    if (count != static_cast<ssize_t>(file_size))
        return malformed();
    const auto content = base::ByteView(buffer).first(file_size);
    base::ByteReader in(content);
    const auto found_magic = in.u64();
    const auto stream = in.u64();
    const auto sequence = in.u64();
    const auto checksum = in.u32();
    if (found_magic != magic || checksum != base::crc32c(content.first(file_size - 4)) ||
        *sequence > max_sequence)
        return malformed();
    return RecordId{*stream, *sequence};
}

base::Status write_acknowledgement(const std::string& path, RecordId position) {
    base::ByteWriter out;
    out.u64(magic).u64(position.stream).u64(position.sequence);
    out.u32(base::crc32c(out.bytes()));
    return base::replace_file(path, out.bytes(), file_mode);
}

}  // namespace mitral::spool
