#include "spool/simulated_disk.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/file.hpp"
#include "spool/lane_files.hpp"
#include "spool/segment_format.hpp"
#include "spool/support.hpp"

namespace mitral::spool::test {
namespace {

constexpr std::size_t sector = 512;

std::string parent_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

bool coin(std::mt19937_64& random) {
    return (random() & 1U) != 0;
}

}  // namespace

SimulatedDisk::SimulatedDisk(std::string spool_directory) : directory_(std::move(spool_directory)) {
    for (const auto lane : lanes_by_priority)
        learn(lane_path(directory_, lane));
    durable_names_ = names_;
}

void SimulatedDisk::learn(const std::string& lane_directory) {
    for (const auto& path : segments_of(lane_directory)) {
        struct stat status{};
        if (::stat(path.c_str(), &status) != 0)
            continue;
        const auto id = next_file_++;
        auto& file = files_[id];
        file.durable = file_content(path);
        if (auto header = decode_header(file.durable))
            file.wrapped_key = header->wrapped_key;
        by_inode_[status.st_ino] = id;
        names_[path] = id;
    }
}

void SimulatedDisk::fail(std::uint64_t first, std::uint64_t count, int error_number) {
    fail_first_ = operations_ + first;
    fail_count_ = count;
    error_number_ = error_number;
    failures_ = 0;
}

bool SimulatedDisk::fails_now() {
    const auto number = operations_++;
    const bool fails = number >= fail_first_ && number - fail_first_ < fail_count_;
    failures_ += fails ? 1 : 0;
    return fails;
}

base::Status SimulatedDisk::failure() const {
    return base::fail_errno(error_number_, "simulated");
}

SimulatedDisk::File& SimulatedDisk::file_of(int fd) {
    struct stat status{};
    (void)::fstat(fd, &status);
    return files_[by_inode_[status.st_ino]];
}

base::Result<base::UniqueFd> SimulatedDisk::create(const std::string& path, mode_t mode,
                                                   int group_id) {
    if (fails_now())
        return std::unexpected(failure().error());
    auto fd = Storage::create(path, mode, group_id);
    if (!fd)
        return fd;
    struct stat status{};
    (void)::fstat(fd->get(), &status);
    const auto id = next_file_++;
    by_inode_[status.st_ino] = id;
    const NameChange change{"", path, id};
    apply(names_, change);
    pending_names_[parent_of(path)].push_back(change);
    return fd;
}

void SimulatedDisk::watch_nonces(File& file, base::ByteView content, std::uint64_t offset) {
    if (offset == 0)
        if (auto header = decode_header(content))
            file.wrapped_key = header->wrapped_key;
    if (offset < header_size)
        return;
    for (auto frame = decode_frame_header(content); frame; frame = decode_frame_header(content)) {
        const auto bytes = content.first(frame->frame_size());
        const auto [entry, fresh] = sealed_.insert(
            {{file.wrapped_key, frame->sequence}, base::Bytes(bytes.begin(), bytes.end())});
        if (!fresh && !std::ranges::equal(entry->second, bytes))
            ++reused_nonces_;
        content = content.subspan(frame->frame_size());
    }
}

base::Status SimulatedDisk::write(int fd, base::ByteView content, std::uint64_t offset) {
    auto& file = file_of(fd);
    watch_nonces(file, content, offset);
    const bool fails = fails_now();
    if (fails)
        content =
            content.first(short_writes && content.size() > slot_size ? content.size() / 2 : 0);
    MITRAL_CHECK(Storage::write(fd, content, offset));
    file.pending.push_back({offset, base::Bytes(content.begin(), content.end()), false});
    return fails ? failure() : base::Status{};
}

base::Status SimulatedDisk::sync(int fd) {
    if (fails_now())
        return failure();
    auto& file = file_of(fd);
    for (const auto& change : file.pending)
        apply(file.durable, change);
    file.pending.clear();
    return {};
}

base::Status SimulatedDisk::truncate(int fd, std::uint64_t size) {
    if (fails_now())
        return failure();
    MITRAL_CHECK(Storage::truncate(fd, size));
    file_of(fd).pending.push_back({size, {}, true});
    return {};
}

base::Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
    if (fails_now())
        return failure();
    MITRAL_CHECK(Storage::rename(from, to));
    const NameChange change{from, to, names_[from]};
    apply(names_, change);
    pending_names_[parent_of(to)].push_back(change);
    return {};
}

base::Status SimulatedDisk::remove(const std::string& path) {
    if (fails_now())
        return failure();
    MITRAL_CHECK(Storage::remove(path));
    const NameChange change{path, "", 0};
    apply(names_, change);
    pending_names_[parent_of(path)].push_back(change);
    return {};
}

base::Status SimulatedDisk::sync_directory(const std::string& path) {
    if (fails_now())
        return failure();
    for (const auto& change : pending_names_[path])
        apply(durable_names_, change);
    pending_names_[path].clear();
    return {};
}

void SimulatedDisk::apply(Names& names, const NameChange& change) {
    if (!change.removed.empty())
        names.erase(change.removed);
    if (!change.added.empty())
        names[change.added] = change.file;
}

void SimulatedDisk::apply(base::Bytes& content, const Change& change) {
    if (change.cut) {
        content.resize(static_cast<std::size_t>(change.offset));
        return;
    }
    const auto end = static_cast<std::size_t>(change.offset) + change.content.size();
    content.resize(std::max(content.size(), end));
    std::ranges::copy(change.content, content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void SimulatedDisk::apply_torn(base::Bytes& content, const Change& change,
                               std::mt19937_64& random) {
    if (change.cut || coin(random)) {
        if (coin(random))
            apply(content, change);
        return;
    }
    for (std::size_t at = 0; at < change.content.size();) {
        const auto position = static_cast<std::size_t>(change.offset) + at;
        const auto size = std::min(sector - position % sector, change.content.size() - at);
        if (coin(random)) {
            const auto part = base::ByteView(change.content).subspan(at, size);
            apply(content, {position, base::Bytes(part.begin(), part.end()), false});
        }
        at += size;
    }
}

void SimulatedDisk::cut_power(std::mt19937_64& random) {
    for (auto& [directory, changes] : pending_names_) {  // in order, as a journal replays them
        const auto kept = changes.empty() ? 0 : random() % (changes.size() + 1);
        for (std::size_t i = 0; i < kept; ++i)
            apply(durable_names_, changes[i]);
    }
    for (const auto lane : lanes_by_priority)
        for (const auto& entry : std::filesystem::directory_iterator(lane_path(directory_, lane)))
            if (entry.path().filename() != stream_file)
                std::filesystem::remove(entry.path());
    for (const auto& [path, id] : durable_names_) {
        auto& file = files_[id];
        auto content = file.durable;
        for (const auto& change : file.pending)
            apply_torn(content, change, random);
        set_file_content(path, content);
    }
}

}  // namespace mitral::spool::test
