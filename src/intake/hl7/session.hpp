// One monitor's conversation, without its socket: bytes in, acknowledgements out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "intake/hl7/acknowledgement.hpp"
#include "intake/hl7/counters.hpp"
#include "intake/hl7/interpreter.hpp"
#include "intake/hl7/mllp_decoder.hpp"
#include "intake/hl7/monitors.hpp"
#include "intake/store/reading_store.hpp"

namespace mitral::intake::hl7 {

// Where messages go and where they are counted; shared by all sessions, which it outlives.
struct Destination {
    ReadingStore& store;
    Interpreter& interpreter;
    Counters& counters;
};

class Session {
  public:
    static constexpr std::size_t max_messages_in_frame = 1024;
    static constexpr std::size_t max_header = 4096;               // bytes of a segment MSH
    static constexpr std::size_t bytes_of_a_message = 64 * 1024;  // more count as another one

    Session(Destination destination, Monitor& monitor, std::size_t longest_frame);

    // Where the next bytes go (at least `wanted` of them), and that they have come.
    [[nodiscard]] base::MutableByteView space(std::size_t wanted) { return decoder_.space(wanted); }
    void filled(std::size_t count, Arrival arrival);
    // Takes one frame of what has come: its readings are put into the store's open group. How many
    // messages it counts as, a long frame as several; one without an end counts too, and so does
    // what stands between frames. nullopt: there is nothing more to take.
    [[nodiscard]] std::optional<std::size_t> take_frame();
    // The monitor will send nothing more.
    void end_of_input();

    // The store's group is closed: writes the answers that were waiting for it.
    void settle(bool committed, base::WallTime now);
    // Something waits for settle().
    [[nodiscard]] bool unsettled() const noexcept { return !waiting_.empty(); }

    [[nodiscard]] std::string& output() noexcept { return output_; }
    // Nothing more is read; the connection may close when the output is gone.
    [[nodiscard]] bool finished() const noexcept { return finished_; }
    [[nodiscard]] bool mid_frame() const noexcept { return decoder_.mid_frame(); }
    [[nodiscard]] std::size_t held_bytes() const noexcept {
        return decoder_.held_bytes() + converted_.capacity();
    }
    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
    [[nodiscard]] Monitor& monitor() const noexcept { return monitor_; }

  private:
    // A message whose answer waits for the group.
    struct Waiting {
        std::string header;  // its MSH, as sent
        Verdict verdict = Verdict::accepted;
        std::string reason;
        bool in_group = false;  // what the commit says decides
    };

    void count_junk(MllpDecoder::Kind event);
    [[nodiscard]] std::optional<std::size_t> take_junk();
    [[nodiscard]] std::size_t take_messages(std::string_view frame);
    void take_message(std::string_view text);
    void note_message(const Message& message);
    void take_readings(std::vector<clinical::Reading>& readings, Waiting& waiting);
    void postpone(Waiting& waiting);
    void refuse(Waiting& waiting, std::string reason);
    void answer(const Waiting& waiting, base::WallTime now);

    Destination destination_;
    Monitor& monitor_;
    std::size_t longest_frame_;
    MllpDecoder decoder_;
    Arrival arrival_;
    bool finished_ = false;
    std::uint64_t frames_ = 0;
    std::uint64_t junk_counted_ = 0;
    std::uint64_t junk_unpaid_ = 0;  // not yet counted as messages
    std::uint64_t answers_ = 0;
    std::string converted_;  // the message at hand in UTF-8
    std::vector<Waiting> waiting_;
    std::string output_;
};

}  // namespace mitral::intake::hl7
