#pragma once

#include <deque>

#include "base/clock.hpp"
#include "cloud/faults/catalogue.hpp"

namespace mitral::cloud::faults {

enum class FaultEvent : std::uint8_t { on, off, struck };

// What faults did, newest last. Strikes that follow each other are one record; of records the
// newest 10,000 are kept.
class FaultLog {
  public:
    struct Record {
        Fault fault = Fault::hub_away;
        FaultEvent event = FaultEvent::on;
        base::WallTime first{};
        base::WallTime last{};
        std::uint64_t times = 1;
        std::uint64_t number = 0;  // counts from 0 without gaps
    };
    static constexpr std::size_t most_records = 10'000;

    explicit FaultLog(const base::Clock& clock) : clock_(clock) {}
    void note(Fault fault, FaultEvent event, std::uint64_t times = 1) {
        const auto now = clock_.wall();
        if (!records_.empty() && event == FaultEvent::struck && records_.back().fault == fault &&
            records_.back().event == event) {
            records_.back().last = now;
            records_.back().times += times;
            return;
        }
        records_.push_back({fault, event, now, now, times, next_++});
        if (records_.size() > most_records)
            records_.pop_front();
    }
    [[nodiscard]] const std::deque<Record>& records() const noexcept { return records_; }

  private:
    const base::Clock& clock_;
    std::deque<Record> records_;
    std::uint64_t next_ = 0;
};

}  // namespace mitral::cloud::faults
