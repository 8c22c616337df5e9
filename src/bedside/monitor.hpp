// One monitor at one bed: what it says, message by message, and what it will have promised by it.
// No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "bedside/bed_plan.hpp"
#include "bedside/local_clock.hpp"
#include "bedside/person.hpp"
#include "bedside/repertoire.hpp"

namespace mitral::bedside {

struct Message {
    std::string control_id;  // MSH-10
    std::string identity;    // the hash of docs/formats, of this message
    std::string text;        // from MSH on, unframed
    const Script* script = nullptr;
    base::WallTime now;  // the monitor's clock
};

struct Promise {
    std::string id;  // of the reading
    std::uint16_t index = 0;
    Lane lane = Lane::vitals;
    std::string hash;
};

class Monitor {
  public:
    // `number` tells the monitors of one run apart, `started` its runs: MSH-10 holds both.
    [[nodiscard]] static base::Result<Monitor> create(const BedPlan& plan, std::uint64_t seed,
                                                      std::size_t number, base::WallTime started,
                                                      const Repertoire& repertoire);

    [[nodiscard]] Message say(Lane lane, base::WallTime now);
    [[nodiscard]] std::vector<Promise> promises(const Message& message) const;
    // `count` messages as one batch (v2.6 §2.10.3): FHS, BHS, the messages, BTS, FTS.
    [[nodiscard]] std::string batch(const std::vector<const Message*>& messages) const;

    [[nodiscard]] const Person& person() const noexcept { return person_; }
    [[nodiscard]] const BedPlan& plan() const noexcept { return *plan_; }
    [[nodiscard]] std::uint64_t messages() const noexcept { return serial_; }

  private:
    Monitor(const BedPlan& plan, LocalClock clock, const Repertoire& repertoire) noexcept
        : plan_(&plan), clock_(std::move(clock)), repertoire_(&repertoire) {}

    [[nodiscard]] std::string header(Lane lane) const;
    [[nodiscard]] std::string fill(std::string_view text, const Message& message);
    [[nodiscard]] std::string time_text(base::WallTime time);
    [[nodiscard]] base::WallTime time_of(Slot slot, const Message& message) const;

    const BedPlan* plan_;
    LocalClock clock_;
    const Repertoire* repertoire_;
    Person person_;
    std::string sender_;  // MSH-3
    std::string run_;     // start of every MSH-10
    std::string vitals_header_;
    std::string wave_header_;
    std::string remark_;
    std::uint64_t serial_ = 0;
    std::size_t said_vitals_ = 0;
    std::size_t said_waves_ = 0;
};

}  // namespace mitral::bedside
