// The last control ids of each source, so that what a sender repeats after a lost reply is not
// stored twice. Kept in memory: across a restart a repeated line is stored again, and the consumer
// removes it by (source, id, index).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mitral::intake {

class RecentIds {
  public:
    // `sources` bounds memory: beyond it the source that was silent longest is forgotten.
    explicit RecentIds(std::size_t ids_per_source = 4096, std::size_t sources = 256);

    enum class Seen { no, in_open_group, before };
    // Adds the id to the open group when it was not seen.
    [[nodiscard]] Seen check_in(std::string_view source, std::string_view id);
    // Takes the last added id out again: its reading was not stored.
    void take_back();
    // The open group is durable, or it failed and its ids may come again.
    void group_committed() { close_group(true); }
    void group_failed() { close_group(false); }

  private:
    struct Id {
        std::string text;
        bool committed = false;
    };
    struct Source {
        std::deque<Id> order;  // oldest first; the open group is at the back
        std::unordered_map<std::string_view, Id*> index;
        std::uint64_t last_use = 0;
        bool in_group = false;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };

    Source& source_of(std::string_view name);
    void forget_oldest_source();
    void close_group(bool durable);

    std::size_t ids_per_source_;
    std::size_t max_sources_;
    std::uint64_t uses_ = 0;
    std::unordered_map<std::string, Source, Hash, std::equal_to<>> sources_;
    std::vector<Source*> group_;  // sources with ids in the open group
    Source* last_added_ = nullptr;
};

}  // namespace mitral::intake
