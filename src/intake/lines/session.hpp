// One adapter's conversation, without its socket: bytes in, replies out (docs/formats/lines-1.md).
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "clinical/observation.hpp"
#include "intake/lines/counters.hpp"
#include "intake/lines/line_buffer.hpp"
#include "intake/lines/line_parser.hpp"
#include "intake/lines/source_owners.hpp"
#include "intake/store/reading_store.hpp"

namespace mitral::intake {

// When what arrives now was received.
struct Stamp {
    base::WallTime received;
    base::ClockState clock = base::ClockState::free_running;
};

class Session {
  public:
    static constexpr std::size_t max_line = 64 * 1024;        // bytes
    static constexpr std::size_t max_wave_line = 256 * 1024;  // a line with waves

    // `user` speaks here: who the kernel says is connected, or this process's own.
    Session(ReadingStore& store, SourceOwners& owners, LineParser& parser, Counters& counters,
            uid_t user = ::geteuid());

    // Where the next bytes go (at least `wanted` of them), and that they have come. Lines that are
    // complete are parsed and put into the store's open group.
    [[nodiscard]] base::MutableByteView space(std::size_t wanted) { return buffer_.space(wanted); }
    void received(std::size_t count, Stamp stamp);
    // The sender will send nothing more.
    void end_of_input();

    // The store's group is closed: writes the replies that were waiting for it.
    void settle(bool committed);
    // Something waits for settle().
    [[nodiscard]] bool unsettled() const noexcept {
        return !verdicts_.empty() || empty_batch_ || answered_ != due_answer();
    }

    [[nodiscard]] std::string& output() noexcept { return output_; }
    // Nothing more is read; the connection may close when the output is gone.
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    [[nodiscard]] bool has_header() const noexcept { return has_header_; }
    [[nodiscard]] bool mid_line() const noexcept { return buffer_.mid_line(); }
    [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
    [[nodiscard]] const std::string& first_refusal() const noexcept { return first_refusal_; }
    [[nodiscard]] uid_t user() const noexcept { return user_; }
    [[nodiscard]] const std::string& source() const noexcept { return reading_.source; }

  private:
    struct Verdict {
        enum class Kind : std::uint8_t { in_group, refused, postponed } kind;
        std::uint64_t line;
        std::string reason;
    };

    void take_line(const LineBuffer::Line& line);
    void take_header(const LineBuffer::Line& line);
    void refuse_header(std::string reason);
    void take_reading(const LineBuffer::Line& line);
    void store_reading();
    void end_batch();
    void refuse(std::string reason);
    void postpone();
    void reply(std::string_view word, std::uint64_t line, std::string_view reason);
    [[nodiscard]] std::uint64_t due_answer() const noexcept;

    ReadingStore& store_;
    SourceOwners& owners_;
    LineParser& parser_;
    Counters& counters_;
    uid_t user_;
    LineBuffer buffer_;
    clinical::Reading reading_;  // reused from line to line; its source is the header's
    Acknowledge acknowledge_ = Acknowledge::line;
    bool has_header_ = false;
    bool finished_ = false;
    std::uint64_t lines_ = 0;      // reading lines so far
    std::uint64_t batch_end_ = 0;  // last line of the last ended batch
    std::uint64_t answered_ = 0;   // n of the last `ok`
    bool empty_batch_ = false;     // asks for an `ok` without a new line
    std::uint64_t refused_ = 0;
    std::string first_refusal_;
    std::vector<Verdict> verdicts_;  // lines since the last settle()
    std::string output_;
};

}  // namespace mitral::intake
