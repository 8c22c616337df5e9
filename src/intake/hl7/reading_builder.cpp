#include "intake/hl7/reading_builder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "clinical/record.hpp"

namespace mitral::intake::hl7 {
namespace {

using clinical::Observation;
using clinical::Reading;
using clinical::Waveform;

// A delta takes up to five bytes: with this many samples, and all that a reading may hold besides,
// a record stays below clinical::max_record_size.
constexpr std::size_t max_samples_of_reading = clinical::max_samples;

bool has_room_for(const Reading& reading, std::size_t /*samples*/, const Observation& item) {
    return reading.observations.size() < clinical::max_observations &&
           (reading.observations.empty() || reading.observations.back().index < item.index);
}

bool has_room_for(const Reading& reading, std::size_t samples, const Waveform& item) {
    return reading.waveforms.size() < clinical::max_waveforms &&
           samples + item.samples.size() <= max_samples_of_reading &&
           (reading.waveforms.empty() || reading.waveforms.back().index < item.index);
}

// How sure it is does not count: that depends on when the message came, and a message that comes
// again has to become the same readings.
bool has_time(const Reading& reading, const std::optional<DeviceTime>& time) {
    return time ? reading.device_time == time->instant : !reading.device_time;
}

// A reading is no surer of its time than the least sure of what it holds.
void lower_certainty(Reading& reading, const std::optional<DeviceTime>& time) {
    if (time)
        reading.device_clock = std::max(reading.device_clock, time->certainty);
}

}  // namespace

ReadingBuilder::ReadingBuilder(std::string control_id, base::WallTime received,
                               base::ClockState clock, std::size_t max_readings)
    : control_id_(std::move(control_id)),
      received_(received),
      clock_(clock),
      max_readings_(max_readings) {}

void ReadingBuilder::set_patient(Patient patient) {
    patient_ = std::move(patient);
    ++patient_number_;
}

Reading* ReadingBuilder::open(const std::optional<DeviceTime>& time) {
    if (readings_.size() == max_readings_) {
        overflowed_ = true;
        return nullptr;
    }
    auto& reading = readings_.emplace_back();
    reading.source = patient_.source;
    reading.subject = patient_.subject;
    reading.control_id = readings_.size() == 1
                             ? control_id_
                             : fmt::format("{}.{}", control_id_, readings_.size() - 1);
    reading.received = received_;
    reading.clock = clock_;
    if (time) {
        reading.device_time = time->instant;
        reading.device_clock = time->certainty;
    }
    slots_.push_back({patient_number_});
    return &reading;
}

template <typename Item>
Reading* ReadingBuilder::place(const Item& item, const std::optional<DeviceTime>& time) {
    // The last one of its time is the only one that may have room.
    for (std::size_t i = readings_.size(); i > 0; --i) {
        const auto& slot = slots_[i - 1];
        if (slot.patient != patient_number_)
            break;  // patients come one after the other
        if (!has_time(readings_[i - 1], time))
            continue;
        if (!has_room_for(readings_[i - 1], slot.samples, item))
            break;
        return &readings_[i - 1];
    }
    return open(time);
}

void ReadingBuilder::add(Observation observation, const std::optional<DeviceTime>& time) {
    auto* reading = place(observation, time);
    if (reading == nullptr)
        return;
    lower_certainty(*reading, time);
    reading->observations.push_back(std::move(observation));
}

void ReadingBuilder::add(Waveform wave, const std::optional<DeviceTime>& time) {
    auto* reading = place(wave, time);
    if (reading == nullptr)
        return;
    lower_certainty(*reading, time);
    slots_[static_cast<std::size_t>(reading - readings_.data())].samples += wave.samples.size();
    reading->waveforms.push_back(std::move(wave));
}

}  // namespace mitral::intake::hl7
