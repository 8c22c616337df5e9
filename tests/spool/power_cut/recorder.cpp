#include "spool/power_cut/recorder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string_view>

#include "spool/support.hpp"

namespace mitral::spool::test {
namespace {

Recorder*& active_recorder() {
    static Recorder* recorder = nullptr;
    return recorder;
}

std::string file_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

ino_t inode_of(const std::string& path) {
    struct stat status{};
    (void)::lstat(path.c_str(), &status);
    return status.st_ino;
}

}  // namespace

std::string describe(const Operation& operation) {
    static constexpr std::array<std::string_view, 8> names{
        "make file", "make directory", "rename", "remove",
        "write",     "truncate",       "sync",   "failed sync"};
    auto text = std::string(names.at(static_cast<std::size_t>(operation.kind))) + " #" +
                std::to_string(operation.node);
    if (!operation.name.empty())
        text += " " + operation.name;
    if (!operation.new_name.empty())
        text += " to " + operation.new_name;
    if (operation.kind == Operation::Kind::write)
        text += " " + std::to_string(operation.content.size()) + " bytes";
    if (operation.kind == Operation::Kind::write || operation.kind == Operation::Kind::truncate)
        text += " at " + std::to_string(operation.offset);
    return text;
}

Recorder::Recorder(std::string root) : root_(std::move(root)) {
    now_.push_back({.directory = true});
    by_inode_[inode_of(root_)] = 0;
    learn(root_, 0);
    recording_.before = now_;
    active_recorder() = this;
}

Recorder::~Recorder() {
    active_recorder() = nullptr;
}

Recorder* Recorder::active() {
    return active_recorder();
}

void Recorder::learn(const std::string& path, NodeId node) {
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        const auto child = entry.path().string();
        const auto id = add(child, entry.is_directory());
        now_[node].names[file_name(child)] = id;
        if (entry.is_directory())
            learn(child, id);
        else
            now_[id].content = file_content(child);
    }
}

NodeId Recorder::add(const std::string& path, bool directory) {
    const auto id = static_cast<NodeId>(now_.size());
    now_.push_back({.directory = directory});
    by_inode_[inode_of(path)] = id;
    return id;
}

NodeId Recorder::parent_of(const std::string& path) const {
    return by_inode_.at(inode_of(path.substr(0, path.rfind('/'))));
}

void Recorder::fail(Operation::Kind kind, int error_number, int count, int after) {
    faults_[kind] = {error_number, count, after};
}

int Recorder::failure(Operation::Kind kind) {
    if (killed())
        return EIO;
    auto& fault = faults_[kind];
    if (fault.left == 0 || fault.after-- > 0)
        return 0;
    --fault.left;
    return fault.error_number;
}

bool Recorder::covers(const char* path) const {
    return std::string_view(path).starts_with(root_ + "/");
}

bool Recorder::covers(int fd) const {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) &&
           by_inode_.contains(status.st_ino);
}

void Recorder::made(const std::string& path, bool directory) {
    const auto parent = parent_of(path);
    const auto id = add(path, directory);
    now_[parent].names[file_name(path)] = id;
    recording_.operations.push_back(
        {.kind = directory ? Operation::Kind::make_directory : Operation::Kind::make_file,
         .node = parent,
         .child = id,
         .name = file_name(path)});
}

void Recorder::renamed(const std::string& from, const std::string& to) {
    const auto parent = parent_of(to);
    auto& names = now_[parent].names;
    const auto id = names.at(file_name(from));
    names.erase(file_name(from));
    names[file_name(to)] = id;
    recording_.operations.push_back({.kind = Operation::Kind::rename,
                                     .node = parent,
                                     .child = id,
                                     .name = file_name(from),
                                     .new_name = file_name(to)});
}

void Recorder::removed(const std::string& path) {
    const auto parent = parent_of(path);
    now_[parent].names.erase(file_name(path));
    recording_.operations.push_back(
        {.kind = Operation::Kind::remove, .node = parent, .name = file_name(path)});
}

void Recorder::changed(int fd, Operation::Kind kind, std::uint64_t offset, base::ByteView content) {
    struct stat status{};
    (void)::fstat(fd, &status);
    recording_.operations.push_back({.kind = kind,
                                     .node = by_inode_.at(status.st_ino),
                                     .name = {},
                                     .offset = offset,
                                     .content = base::Bytes(content.begin(), content.end())});
}

}  // namespace mitral::spool::test
