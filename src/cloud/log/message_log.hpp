// The append log of accepted messages: NDJSON segments in one directory, each named after its first
// offset. Offsets count messages from 0 and never repeat. Single-threaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cloud/log/damage.hpp"
#include "cloud/log/entry.hpp"

namespace mitral::cloud::log {

struct LogOptions {
    std::string directory;
    std::uint64_t segment_bytes = 64ULL * 1024 * 1024;
    std::uint64_t maximum_bytes = 0;  // the oldest segments go beyond it; 0: keep everything
};

struct Segment {
    std::uint64_t first = 0;  // offset of its first message
    std::uint64_t bytes = 0;  // written, whole lines
};

class MessageLog {
  public:
    // Recovers: a line that a crash tore off the end is cut away (it was never acknowledged). The
    // last segment is checked; older ones when they are read (Tail, Scrub): a start takes no longer
    // because the log is large.
    [[nodiscard]] static base::Result<MessageLog> open(LogOptions options);

    // Takes the message into this pass's batch; returns its offset. Nothing is written yet.
    std::uint64_t append(const Entry& entry);
    // Hands the batch to the kernel (write(2)): it survives the death of this process. On failure
    // the batch is dropped, as if it had never been appended.
    [[nodiscard]] base::Status commit();
    [[nodiscard]] bool has_batch() const noexcept { return !batch_.empty(); }

    [[nodiscard]] std::uint64_t first_offset() const noexcept { return segments_.front().first; }
    [[nodiscard]] std::uint64_t end_offset() const noexcept {
        return committed_;
    }  // next to be written
    [[nodiscard]] std::uint64_t bytes() const noexcept;
    [[nodiscard]] const std::vector<Segment>& segments() const noexcept { return segments_; }
    [[nodiscard]] std::string path_of(const Segment& segment) const;
    // What is found missing; whoever reads may add to it.
    [[nodiscard]] Damage& damage() const noexcept { return *damage_; }

  private:
    explicit MessageLog(LogOptions options) : options_(std::move(options)) {}
    [[nodiscard]] base::Status find_segments();
    [[nodiscard]] base::Status recover_last();
    // Takes what one read gave; the rest behind its last line feed is returned.
    [[nodiscard]] std::string_view check_lines(std::string_view text);
    [[nodiscard]] base::Status mend_end(std::uint64_t whole, std::string_view torn);
    [[nodiscard]] base::Status start_segment(std::uint64_t first);
    [[nodiscard]] base::Status open_last();
    void drop_oldest();
    void take_back(const base::Error& cause);

    LogOptions options_;
    std::unique_ptr<Damage> damage_ = std::make_unique<Damage>();
    std::vector<Segment> segments_;  // ascending, never empty once open
    base::UniqueFd file_;
    std::string batch_;
    std::uint64_t next_ = 0;
    std::uint64_t committed_ = 0;
    std::uint64_t bad_at_end_ = 0;  // while recovering: damaged lines behind the last good one
};

}  // namespace mitral::cloud::log
