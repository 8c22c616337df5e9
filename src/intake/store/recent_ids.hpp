// The last readings of each source, so that what a sender repeats after a lost reply is not stored
// twice, and other content under the same id is not taken for a repetition. Kept in memory: across
// a restart a repeated line is stored again, and the consumer removes it by (source, id, index).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "intake/store/fingerprint.hpp"
#include "intake/store/fingerprint_ring.hpp"

namespace mitral::intake {

class RecentIds {
  public:
    struct Bounds {
        std::size_t ids_per_source = FingerprintRing::largest;  // a power of two up to it
        std::size_t sources = 1024;
        std::size_t bytes = 16 * 1024 * 1024;  // of all sources together
    };
    // At a bound the source that was silent longest is forgotten; a source of the open group never
    // is. Where nothing can be forgotten the newest are not remembered in addition to the others.
    RecentIds() : RecentIds(Bounds()) {}
    explicit RecentIds(Bounds bounds);

    enum class Seen { no, in_open_group, before, with_other_content };
    [[nodiscard]] Seen find(std::string_view source, Fingerprint reading);
    // Adds a reading to the open group; precondition: find() said no.
    void add(std::string_view source, Fingerprint reading);
    // The open group is durable, or it failed and its readings may come again.
    void group_committed() { close_group(true); }
    void group_failed() { close_group(false); }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  private:
    struct Source {
        explicit Source(std::size_t capacity) : ring(capacity) {}
        FingerprintRing ring;
        std::size_t open = 0;  // the newest so many are in the open group
        std::uint64_t last_use = 0;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };
    // Of a source beside its ring: its name and its place in the map.
    static constexpr std::size_t source_bytes = sizeof(Source) + 192;

    // Null: there is no room for another.
    [[nodiscard]] Source* source_of(std::string_view name);
    [[nodiscard]] bool make_room(std::size_t bytes, const Source* keep);
    [[nodiscard]] bool forget_oldest_source(const Source* keep);
    void close_group(bool durable);

    Bounds bounds_;
    std::size_t bytes_ = 0;
    std::uint64_t uses_ = 0;
    std::unordered_map<std::string, Source, Hash, std::equal_to<>> sources_;
    std::vector<Source*> group_;  // sources with readings in the open group
};

}  // namespace mitral::intake
