// What a kind of monitor can say about a recording, rendered beforehand: sending is then little
// more than a copy with the times filled in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "bedside/dialect.hpp"
#include "bedside/recording.hpp"

namespace mitral::bedside {

// What stands in a rendered text where something is filled in; HL7 text holds no such bytes.
enum class Slot : char {
    control_id = 1,
    now = 2,       // MSH-7
    observed = 3,  // OBR-7: now, or when a waveform's window began
    cuff = 4,      // when the cuff last measured
};
constexpr base::Milliseconds cuff_age{90'000};

enum class Lane : std::uint8_t { vitals, waves };
[[nodiscard]] constexpr std::string_view to_string(Lane lane) noexcept {
    return lane == Lane::vitals ? "vitals" : "waves";
}

// One observation that the gateway has to deliver if it acknowledges the message.
struct Expected {
    std::uint16_t index = 0;  // position of its OBX in the message, from 0
    Slot time = Slot::observed;
    std::string digest_head;
};

struct Script {
    Lane lane = Lane::vitals;
    std::string segments;          // the OBX, with slots
    base::Milliseconds window{0};  // from `observed` to `now`
    std::vector<Expected> expected;
    // The distinct times of what is expected, in the order of their appearance: a message is one
    // reading for each.
    std::vector<Slot> times;
};

class Repertoire {
  public:
    // `samples`: of each waveform in one message; 0: no waveforms. The recording may go afterwards.
    Repertoire(const Dialect& dialect, const Recording& recording, std::size_t samples);

    // Counted on and on: the recording begins again at its end.
    [[nodiscard]] const Script& vitals(std::size_t number) const noexcept {
        return vitals_[number % vitals_.size()];
    }
    // Precondition: there are waveforms.
    [[nodiscard]] const Script& waves(std::size_t number) const noexcept {
        return waves_[number % waves_.size()];
    }
    [[nodiscard]] bool has_waves() const noexcept { return !waves_.empty(); }

  private:
    std::vector<Script> vitals_;
    std::vector<Script> waves_;
};

// kPa with one digit behind the point, of mm[Hg].
[[nodiscard]] std::string to_kilopascal(std::string_view millimetres);

}  // namespace mitral::bedside
