#include "clinical/wave_blocks.hpp"

#include "clinical/cbor.hpp"
#include "clinical/delta.hpp"

namespace mitral::clinical {
namespace {

// Above the bytes of the map around the blocks: keys, schema, source, subject, base time.
constexpr std::size_t head_bound = 192;

void decimal(CborWriter& cbor, Decimal value) {
    cbor.array(2);
    cbor.integer(value.mantissa);
    cbor.integer(value.exponent);
}

}  // namespace

WaveBlocks::WaveBlocks(std::string_view source, std::string_view subject, base::WallTime base_time)
    : source_(source), subject_(subject), base_time_(base_time) {}

void WaveBlocks::write_block(const Reading& reading, const Waveform& wave) {
    CborWriter cbor(blocks_);
    cbor.map(wave.mdc != 0 ? 13 : 12);
    cbor.text("id");
    cbor.text(reading.control_id);
    cbor.text("index");
    cbor.integer(wave.index);
    cbor.text("code");
    cbor.text(wave.code);
    if (wave.mdc != 0) {
        cbor.text("mdc");
        cbor.integer(wave.mdc);
    }
    cbor.text("unit");
    cbor.text(wave.unit);
    cbor.text("rate");
    decimal(cbor, wave.rate);
    cbor.text("scale");
    decimal(cbor, wave.scale);
    cbor.text("time");
    if (reading.device_time)
        cbor.integer(reading.device_time->ms - base_time_.ms);
    else
        cbor.null();
    cbor.text("device_clock");
    if (reading.device_clock != DeviceClock::none)
        cbor.text(to_string(reading.device_clock));
    else
        cbor.null();
    cbor.text("received");
    cbor.integer(reading.received.ms - base_time_.ms);
    cbor.text("clock");
    cbor.text(base::to_string(reading.clock));
    cbor.text("count");
    cbor.integer(static_cast<std::int64_t>(wave.samples.size()));
    cbor.text("delta");
    deltas_.clear();
    append_deltas(wave.samples, deltas_);
    cbor.bytes(deltas_);
}

bool WaveBlocks::add(const Reading& reading, std::size_t limit) {
    const std::size_t before = blocks_.size();
    for (const auto& wave : reading.waveforms)
        write_block(reading, wave);
    if (head_bound + blocks_.size() > limit && before != 0) {
        blocks_.resize(before);
        return false;
    }
    count_ += reading.waveforms.size();
    return true;
}

base::Bytes WaveBlocks::finish() const {
    base::Bytes body;
    body.reserve(head_bound + blocks_.size());
    CborWriter cbor(body);
    cbor.map(subject_.empty() ? 4 : 5);
    cbor.text("schema");
    cbor.text("mitral.wave/1");
    cbor.text("source");
    cbor.text(source_);
    if (!subject_.empty()) {
        cbor.text("subject");
        cbor.text(subject_);
    }
    cbor.text("base_time");
    cbor.integer(base_time_.ms);
    cbor.text("blocks");
    cbor.array(count_);
    body.insert(body.end(), blocks_.begin(), blocks_.end());
    return body;
}

}  // namespace mitral::clinical
