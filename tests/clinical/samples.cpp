#include "clinical/samples.hpp"

#include <limits>
#include <string_view>

#include "clinical/record.hpp"

namespace mitral::clinical::test {
namespace {

using Random = std::mt19937_64;

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

std::string random_text(Random& random, std::size_t longest, std::string_view alphabet) {
    std::string text(static_cast<std::size_t>(between(random, 1, static_cast<int>(longest))), '?');
    for (auto& c : text)
        c = alphabet[static_cast<std::size_t>(
            between(random, 0, static_cast<std::int64_t>(alphabet.size()) - 1))];
    return text;
}

constexpr std::string_view identifier_letters = "abzAZ019._:-";
std::string random_subject(Random& random) {
    std::string subject = random_text(random, 1, "AZaz09_-");
    while (subject.size() < 22)
        subject += random_text(random, 1, "AZaz09_-");
    return subject;
}

constexpr std::string_view unit_letters = "mg/dL[]{}()%'.*^2~!<>&";

Decimal random_decimal(Random& random) {
    constexpr std::int64_t bound = 999'999'999'999'999'999;
    const auto exponent = static_cast<std::int8_t>(between(random, -18, 18));
    return {between(random, -bound, bound) >> between(random, 0, 59), exponent};
}

Observation random_observation(Random& random, std::uint16_t index) {
    Observation observation{index, static_cast<std::uint32_t>(random()),
                            random_text(random, 64, identifier_letters),
                            random_text(random, 32, unit_letters), Absent::unknown};
    if (between(random, 0, 3) != 0)
        observation.value = random_decimal(random);
    else
        observation.value = static_cast<Absent>(between(random, 0, 6));
    return observation;
}

Waveform random_waveform(Random& random, std::uint16_t index) {
    Waveform wave{index,
                  static_cast<std::uint32_t>(random()),
                  random_text(random, 64, identifier_letters),
                  random_text(random, 32, unit_letters),
                  {between(random, 1, 1'000'000), -3},
                  {between(random, 1, 1'000'000), -9},
                  {}};
    const auto width = between(random, 0, 31);
    for (auto count = between(random, 1, 400); count > 0; --count)
        wave.samples.push_back(static_cast<std::int32_t>(random()) >> width);
    return wave;
}

}  // namespace

Reading vitals_reading(std::string control_id, std::int64_t received_ms) {
    Reading reading;
    reading.source = "bed-1";
    reading.control_id = std::move(control_id);
    reading.received = {received_ms};
    reading.clock = base::ClockState::synchronised;
    reading.observations = {
        {0, 147842, "MDC_ECG_HEART_RATE", "/min", Decimal{628, -1}},
        {1, 150456, "MDC_PULS_OXIM_SAT_O2", "%", Absent::not_measured},
    };
    return reading;
}

Reading wave_reading(std::string control_id, std::int64_t received_ms) {
    Reading reading;
    reading.source = "bed-1";
    reading.control_id = std::move(control_id);
    reading.received = {received_ms};
    reading.waveforms = {{0,
                          131330,
                          "MDC_ECG_ELEC_POTL_II",
                          "mV",
                          {250, 0},
                          {438, -6},
                          {-26, -18, 13, 55, std::numeric_limits<std::int32_t>::min(),
                           std::numeric_limits<std::int32_t>::max()}}};
    return reading;
}

Reading random_reading(Random& random) {
    Reading reading;
    reading.source = random_text(random, 64, identifier_letters);
    reading.control_id = random_text(random, 64, identifier_letters);
    reading.received = {between(random, earliest_time.ms, latest_time.ms)};
    if (between(random, 0, 1) == 1) {
        reading.device_time = base::WallTime{between(random, earliest_time.ms, latest_time.ms)};
        reading.device_clock = static_cast<DeviceClock>(between(random, 1, 3));
    }
    if (between(random, 0, 1) == 1)
        reading.subject = random_subject(random);
    reading.clock = static_cast<base::ClockState>(between(random, 0, 2));
    std::int64_t index = between(random, 0, 3);
    for (auto count = between(random, 0, 12); count > 0; --count, index += between(random, 1, 9))
        reading.observations.push_back(
            random_observation(random, static_cast<std::uint16_t>(index)));
    const auto least_waves = reading.observations.empty() ? 1 : 0;
    for (auto count = between(random, least_waves, 3); count > 0; --count, ++index)
        reading.waveforms.push_back(random_waveform(random, static_cast<std::uint16_t>(index)));
    return reading;
}

}  // namespace mitral::clinical::test
