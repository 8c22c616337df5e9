// What the world outside has been told by a moment, and whether a disk still holds it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "spool/lane.hpp"

namespace mitral::spool::test {

struct LaneBooks {
    std::optional<std::uint64_t> stream;             // once somebody knows it
    std::map<std::uint64_t, std::string> committed;  // commit() has returned
    std::map<std::uint64_t, Record> shown;           // a reader has handed it out
    std::uint64_t hub_acknowledged = 0;              // acknowledge() was called
    std::uint64_t position = 0;                      // persist() has returned
    std::set<std::uint64_t> settled;                 // shown, acknowledged, and the writer knew
};

struct Books {
    std::array<LaneBooks, lanes_by_priority.size()> lanes;
    bool may_drop = false;  // the bound or a full disk may take records

    [[nodiscard]] LaneBooks& of(Lane lane) { return lanes.at(static_cast<std::size_t>(lane)); }
    [[nodiscard]] const LaneBooks& of(Lane lane) const {
        return lanes.at(static_cast<std::size_t>(lane));
    }
};

// The books over the time of a recording: each entry with the number of operations done before it.
class Journal {
  public:
    using Entry = std::function<void(Books&)>;
    void note(std::size_t operations, Entry entry) {
        entries_.push_back({operations, std::move(entry)});
    }
    // Brings `books` from where it was (`from` entries) to the moment after so many operations.
    void advance(Books& books, std::size_t& from, std::size_t operations) const {
        for (; from < entries_.size() && entries_[from].at <= operations; ++from)
            entries_[from].entry(books);
    }

  private:
    struct Timed {
        std::size_t at;
        Entry entry;
    };
    std::vector<Timed> entries_;
};

// What a reader found in a lane, from its acknowledged position to the end.
struct Found {
    std::uint64_t position = 0;  // where the file said to begin
    std::uint64_t last = 0;      // as the writer says
    std::vector<Record> records;
    std::string error;
    bool in_one_go = true;  // else the writer may have dropped meanwhile what had been read
};

// One line for each promise that does not hold. `sent`: every payload that was ever appended.
[[nodiscard]] std::vector<std::string> broken_promises(Lane lane, const Books& books,
                                                       const Found& found,
                                                       const std::set<std::string>& sent);

}  // namespace mitral::spool::test
