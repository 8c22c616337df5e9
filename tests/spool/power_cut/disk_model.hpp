// What may be on a disk when the power goes. Relied on, and no more (docs/formats/spool.md):
//   a sector of 512 bytes is written whole or not at all; a rename is there or not;
//   fdatasync and fsync of a file make what was written to it, and the size to read it, durable;
//   fsync of a directory makes the names in it durable.
// Everything else that was done since may be there or not, each part for itself and in any order:
// each sector of each write, the size of the file, each new, changed or removed name. Where a file
// has grown over sectors that were not written there are zeros or garbage. After a sync that
// failed, a later one promises nothing for what came before.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "spool/power_cut/recorder.hpp"

namespace mitral::spool::test {

// The files (path below the root, content) and directories of one state after the cut.
struct Image {
    std::vector<std::string> directories;
    std::map<std::string, base::Bytes> files;

    [[nodiscard]] std::size_t hash() const;
    void put(const std::string& root) const;  // instead of what is there
};

// How many of the states are gone through.
struct Depth {
    std::uint32_t exhaustive = 12;  // up to this many parts: every subset of them
    std::uint32_t samples =
        256;  // beyond: none, all, each alone, all but each, by age, and so many by chance
};

// Syncs that do not do what they say: the negative control of whoever checks states.
enum class Lie : std::uint8_t { none, files_unsynced, directories_unsynced };

class DiskModel {
  public:
    explicit DiskModel(const Recording& recording, Lie lie = Lie::none);

    // The next operation of the recording has been done.
    void step();

    using Visit = std::function<void(const Image& image, const std::string& which)>;
    void each_legal_state(const Depth& depth, std::mt19937_64& random, const Visit& visit) const;

  private:
    struct Change {  // of a file
        bool cut = false;
        std::uint64_t offset = 0;
        base::Bytes content;
        bool certain = false;   // synced, behind one that is not
        bool doubtful = false;  // a sync of it failed
    };
    struct NameChange {
        std::string removed;
        std::string added;
        NodeId child = 0;
    };
    struct State {
        Node durable;
        std::vector<Change> changes;
        std::vector<NameChange> name_changes;
    };
    struct Part {  // what is there or not, for itself
        enum class Kind : std::uint8_t { name, sector, size, garbage };
        Kind kind = Kind::name;
        NodeId node = 0;
        std::size_t change = 0;
        std::size_t begin = 0;  // of a sector, within the change
        std::size_t end = 0;
    };
    using Choice = std::vector<bool>;

    void sync(State& state) const;
    [[nodiscard]] std::vector<NodeId> reachable() const;
    [[nodiscard]] std::vector<Part> parts() const;
    void add_parts(NodeId node, std::vector<Part>& parts) const;
    [[nodiscard]] Image image(const std::vector<Part>& parts, const Choice& choice) const;
    [[nodiscard]] base::Bytes content(NodeId node, const std::vector<Part>& parts,
                                      const Choice& choice) const;

    const Recording& recording_;
    Lie lie_;
    std::size_t done_ = 0;
    std::vector<State> nodes_;
};

}  // namespace mitral::spool::test
