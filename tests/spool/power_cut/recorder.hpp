// Records every system call by which the spool and the uplink's position file change a disk, in
// order, as the kernel saw it: the linker puts __wrap_open and its like (recorder.cpp) in front of
// the real ones, so that nothing of the product is replaced, and what bypasses spool::Storage is in
// the sequence as well.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace mitral::spool::test {

using NodeId = std::uint32_t;  // a file or directory; 0 is the root that is recorded

struct Operation {
    enum class Kind : std::uint8_t {
        make_file,
        make_directory,
        rename,
        remove,
        write,
        truncate,
        sync,         // of a file's content or of a directory's names
        failed_sync,  // the kernel has forgotten what it could not write
    };
    Kind kind = Kind::write;
    NodeId node = 0;         // the file, or the directory whose names change
    NodeId child = 0;        // what the name stands for
    std::string name;        // of rename: the old one
    std::string new_name{};  // of rename
    std::uint64_t offset = 0;
    base::Bytes content{};
};
[[nodiscard]] std::string describe(const Operation& operation);

struct Node {
    bool directory = false;
    base::Bytes content{};                  // of a file
    std::map<std::string, NodeId> names{};  // of a directory
};

struct Recording {
    std::vector<Node> before;  // durable when the recording began
    std::vector<Operation> operations;
};

// One at a time. Not thread-safe.
class Recorder {
  public:
    explicit Recorder(std::string root);
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;
    ~Recorder();

    [[nodiscard]] const Recording& recording() const { return recording_; }
    [[nodiscard]] std::size_t count() const { return recording_.operations.size(); }

    // Ends the process after its operation number `at`: from there on nothing it tries has an
    // effect.
    void kill_at(std::size_t at) { killed_at_ = at; }
    void revive() {
        killed_at_ = never;
        faults_.clear();
    }
    [[nodiscard]] bool killed() const { return count() >= killed_at_; }

    // The next `count` calls of this kind fail, after so many that do not. A failing write leaves
    // its first half behind.
    void fail(Operation::Kind kind, int error_number, int count = 1, int after = 0);

    // For the calls in front of the kernel's: what they shall fail with (0: go on), and what they
    // did.
    [[nodiscard]] static Recorder* active();
    [[nodiscard]] int failure(Operation::Kind kind);
    [[nodiscard]] bool covers(const char* path) const;
    [[nodiscard]] bool covers(int fd) const;
    void made(const std::string& path, bool directory);
    void renamed(const std::string& from, const std::string& to);
    void removed(const std::string& path);
    void changed(int fd, Operation::Kind kind, std::uint64_t offset, base::ByteView content);

  private:
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
    struct Fault {
        int error_number = 0;
        int left = 0;
        int after = 0;
    };
    void learn(const std::string& path, NodeId node);
    [[nodiscard]] NodeId add(const std::string& path, bool directory);
    [[nodiscard]] NodeId parent_of(const std::string& path) const;

    std::string root_;
    Recording recording_;
    std::vector<Node> now_;  // as running programs see it; names only
    std::map<ino_t, NodeId> by_inode_;
    std::map<Operation::Kind, Fault> faults_;
    std::size_t killed_at_ = never;
};

}  // namespace mitral::spool::test
