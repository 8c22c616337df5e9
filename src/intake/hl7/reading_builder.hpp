// Sorts what a message says into readings: one for each source, patient and device time, more where
// the bounds of a reading are reached. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clinical/observation.hpp"
#include "intake/hl7/device_time.hpp"

namespace mitral::intake::hl7 {

// What holds for all observations of a patient in a message.
struct Patient {
    std::string source;
    std::string subject;
};

class ReadingBuilder {
  public:
    // `control_id` names the first reading; the k-th after it gets ".k".
    ReadingBuilder(std::string control_id, base::WallTime received, base::ClockState clock,
                   std::size_t max_readings);

    void set_patient(Patient patient);

    void add(clinical::Observation observation, const std::optional<DeviceTime>& time);
    void add(clinical::Waveform wave, const std::optional<DeviceTime>& time);

    // More than max_readings would have been needed; what was beyond them is not in take().
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
    [[nodiscard]] std::vector<clinical::Reading> take() noexcept { return std::move(readings_); }

  private:
    struct Slot {
        std::size_t patient;
        std::size_t samples = 0;
    };

    // The reading to add to; null: none is left.
    template <typename Item>
    [[nodiscard]] clinical::Reading* place(const Item& item, const std::optional<DeviceTime>& time);
    [[nodiscard]] clinical::Reading* open(const std::optional<DeviceTime>& time);

    std::string control_id_;
    base::WallTime received_;
    base::ClockState clock_;
    std::size_t max_readings_;
    Patient patient_;
    std::size_t patient_number_ = 0;
    std::vector<clinical::Reading> readings_;
    std::vector<Slot> slots_;  // of readings_
    bool overflowed_ = false;
};

}  // namespace mitral::intake::hl7
