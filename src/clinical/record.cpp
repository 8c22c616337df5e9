#include "clinical/record.hpp"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>

#include "clinical/delta.hpp"
#include "clinical/errors.hpp"

namespace mitral::clinical {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::fail;
using base::Result;

constexpr std::uint8_t version = 2;
constexpr std::uint8_t first_version = 1;
constexpr std::uint8_t first_version_flags = 1;  // DeviceClock::zone_stated
constexpr std::uint8_t device_clock_bits = 3;
constexpr std::uint8_t has_subject = 4;
constexpr std::uint8_t is_decimal = 0;
constexpr std::uint8_t is_absent = 1;
constexpr std::size_t largest_text = 255;

// ── encoding ─────────────────────────────────────────────────────────────────────────────────────

template <typename Integer>
void put(Integer value, Bytes& out) {
    for (int shift = static_cast<int>(sizeof(Integer) - 1) * 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> shift));
}

void put_text(std::string_view text, Bytes& out) {
    assert(text.size() <= largest_text);
    out.push_back(static_cast<std::uint8_t>(text.size()));
    // Not insert(): GCC 14 warns of an overflow there that cannot be.
    std::ranges::copy(base::as_bytes(text), std::back_inserter(out));
}

void put_decimal(Decimal value, Bytes& out) {
    put(static_cast<std::uint8_t>(value.exponent), out);
    put(static_cast<std::uint64_t>(value.mantissa), out);
}

template <typename Item>
void put_naming(const Item& item, Bytes& out) {
    put(item.index, out);
    put(item.mdc, out);
    put_text(item.code, out);
    put_text(item.unit, out);
}

void put_observation(const Observation& observation, Bytes& out) {
    put_naming(observation, out);
    if (const auto* decimal = std::get_if<Decimal>(&observation.value)) {
        out.push_back(is_decimal);
        put_decimal(*decimal, out);
    } else {
        out.push_back(is_absent);
        out.push_back(static_cast<std::uint8_t>(std::get<Absent>(observation.value)));
    }
}

void put_waveform(const Waveform& wave, Bytes& out) {
    put_naming(wave, out);
    put_decimal(wave.rate, out);
    put_decimal(wave.scale, out);
    put(static_cast<std::uint32_t>(wave.samples.size()), out);
    const std::size_t length_at = out.size();
    put(std::uint32_t{0}, out);
    append_deltas(wave.samples, out);
    const auto length = static_cast<std::uint32_t>(out.size() - length_at - 4);
    for (unsigned i = 0; i < 4; ++i)
        out[length_at + i] = static_cast<std::uint8_t>(length >> (24 - 8 * i));
}

// ── decoding ─────────────────────────────────────────────────────────────────────────────────────

// Reads fields; the first one that is missing or wrong makes every later read empty.
class RecordReader {
  public:
    explicit RecordReader(ByteView record) noexcept : reader_(record) {}

    std::uint8_t u8() { return value(reader_.u8()); }
    std::uint16_t u16() { return value(reader_.u16()); }
    std::uint32_t u32() { return value(reader_.u32()); }
    std::int64_t i64() { return static_cast<std::int64_t>(value(reader_.u64())); }
    ByteView block(std::size_t size) { return value(reader_.take(size)); }
    std::string text() { return std::string(base::as_text(block(u8()))); }
    Decimal decimal() {
        const auto exponent = static_cast<std::int8_t>(u8());
        return {i64(), exponent};
    }
    base::WallTime time() { return {i64()}; }

    void reject() noexcept { good_ = false; }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool finished() const noexcept { return good_ && reader_.done(); }

  private:
    template <typename T>
    T value(std::optional<T> read) {
        good_ = good_ && read.has_value();
        return good_ ? *read : T{};
    }

    ByteReader reader_;
    bool good_ = true;
};

template <typename Item>
void take_naming(RecordReader& reader, Item& item) {
    item.index = reader.u16();
    item.mdc = reader.u32();
    item.code = reader.text();
    item.unit = reader.text();
}

Observation take_observation(RecordReader& reader) {
    Observation observation;
    take_naming(reader, observation);
    switch (reader.u8()) {
        case is_decimal:
            observation.value = reader.decimal();
            break;
        case is_absent:
            observation.value = static_cast<Absent>(reader.u8());
            break;
        default:
            reader.reject();
    }
    return observation;
}

Waveform take_waveform(RecordReader& reader) {
    Waveform wave;
    take_naming(reader, wave);
    wave.rate = reader.decimal();
    wave.scale = reader.decimal();
    const std::uint32_t count = reader.u32();
    const std::uint32_t length = reader.u32();
    const ByteView deltas = reader.block(length);
    if (count > max_samples || !decode_deltas(deltas, count, wave.samples))
        reader.reject();
    return wave;
}

void take_envelope(RecordReader& reader, std::uint8_t known_flags, Reading& reading) {
    const std::uint8_t flags = reader.u8();
    if ((flags & ~known_flags) != 0)
        reader.reject();
    reading.clock = static_cast<base::ClockState>(reader.u8());
    reading.received = reader.time();
    reading.device_clock = static_cast<DeviceClock>(flags & device_clock_bits);
    if (reading.device_clock != DeviceClock::none)
        reading.device_time = reader.time();
    reading.source = reader.text();
    reading.control_id = reader.text();
    if ((flags & has_subject) == 0)
        return;
    reading.subject = reader.text();
    if (reading.subject.empty())
        reader.reject();
}

std::uint8_t flags_of(const Reading& reading) noexcept {
    const auto clock = static_cast<std::uint8_t>(reading.device_clock);
    return reading.subject.empty() ? clock : static_cast<std::uint8_t>(clock | has_subject);
}

void take_lists(RecordReader& reader, Reading& reading) {
    const std::size_t observations = reader.u16();
    if (observations > max_observations)
        reader.reject();
    reading.observations.reserve(reader.good() ? observations : 0);
    for (std::size_t i = 0; i < observations && reader.good(); ++i)
        reading.observations.push_back(take_observation(reader));
    const std::size_t waveforms = reader.u8();
    for (std::size_t i = 0; i < waveforms && reader.good(); ++i)
        reading.waveforms.push_back(take_waveform(reader));
}

}  // namespace

void append_record(const Reading& reading, Bytes& out) {
    out.push_back(version);
    out.push_back(flags_of(reading));
    out.push_back(static_cast<std::uint8_t>(reading.clock));
    put(static_cast<std::uint64_t>(reading.received.ms), out);
    if (reading.device_time)
        put(static_cast<std::uint64_t>(reading.device_time->ms), out);
    put_text(reading.source, out);
    put_text(reading.control_id, out);
    if (!reading.subject.empty())
        put_text(reading.subject, out);
    put(static_cast<std::uint16_t>(reading.observations.size()), out);
    for (const auto& observation : reading.observations)
        put_observation(observation, out);
    out.push_back(static_cast<std::uint8_t>(reading.waveforms.size()));
    for (const auto& wave : reading.waveforms)
        put_waveform(wave, out);
}

Result<Reading> decode_record(ByteView record) {
    if (record.size() > max_record_size)
        return fail(ClinicalError::out_of_bounds, "a spool record is larger than 224 KiB");
    RecordReader reader(record);
    const auto written_as = reader.u8();
    if (written_as != version && written_as != first_version)
        return fail(ClinicalError::unknown_version, "a spool record has an unknown version");
    Reading reading;
    take_envelope(reader,
                  written_as == version ? device_clock_bits | has_subject : first_version_flags,
                  reading);
    take_lists(reader, reading);
    if (!reader.finished())
        return fail(ClinicalError::malformed_record, "a spool record is cut short or garbled");
    MITRAL_CHECK(check(reading));
    return reading;
}

}  // namespace mitral::clinical
