#include "clinical/wave_reader.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace mitral::clinical::test {
namespace {

constexpr std::int64_t most_samples = 32'768;

std::int64_t within(CborReader& cbor, std::int64_t low, std::int64_t high) {
    const auto value = cbor.integer();
    if (value < low || value > high)
        cbor.fail();
    return cbor.failed() ? 0 : value;
}

Decimal decimal(CborReader& cbor) {
    if (cbor.array() != 2)
        cbor.fail();
    const auto mantissa = cbor.integer();
    return {mantissa, static_cast<std::int8_t>(within(cbor, -18, 18))};
}

std::int64_t time_after(CborReader& cbor, std::int64_t base_ms) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(base_ms, cbor.integer(), &sum))
        cbor.fail();
    return sum;
}

// One zigzag varint of at most 33 bits, or nullopt: cut off, too long, or not its shortest form.
std::optional<std::int64_t> difference(base::ByteView& rest) {
    std::uint64_t unsigned_value = 0;
    for (unsigned shift = 0; shift <= 28 && !rest.empty(); shift += 7) {
        const std::uint8_t byte = rest.front();
        rest = rest.subspan(1);
        unsigned_value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte >= 0x80)
            continue;
        if (byte == 0 && shift != 0)
            return std::nullopt;
        const auto half = static_cast<std::int64_t>(unsigned_value / 2);
        return unsigned_value % 2 == 0 ? half : -half - 1;
    }
    return std::nullopt;
}

std::vector<std::int32_t> samples(CborReader& cbor, std::int64_t count) {
    using Limits = std::numeric_limits<std::int32_t>;
    auto rest = cbor.bytes();
    std::vector<std::int32_t> values;
    std::int64_t value = 0;
    while (!rest.empty() && !cbor.failed()) {
        const auto step = difference(rest);
        value += step.value_or(0);
        if (!step || value < Limits::min() || value > Limits::max())
            cbor.fail();
        else
            values.push_back(static_cast<std::int32_t>(value));
    }
    if (static_cast<std::int64_t>(values.size()) != count)
        cbor.fail();
    return values;
}

std::string one_of(CborReader& cbor, std::initializer_list<std::string_view> words) {
    auto text = cbor.text();
    if (std::ranges::find(words, text) == words.end())
        cbor.fail();
    return text;
}

WaveBlock block(CborReader& cbor, std::int64_t base_ms) {
    WaveBlock out;
    const auto pairs = cbor.map();
    if (pairs != 12 && pairs != 13)
        cbor.fail();
    cbor.expect_text("id");
    out.id = cbor.text();
    cbor.expect_text("index");
    out.wave.index = static_cast<std::uint16_t>(within(cbor, 0, 0xFFFF));
    cbor.expect_text("code");
    out.wave.code = cbor.text();
    if (pairs == 13) {
        cbor.expect_text("mdc");
        out.wave.mdc = static_cast<std::uint32_t>(within(cbor, 1, 0xFFFF'FFFF));
    }
    cbor.expect_text("unit");
    out.wave.unit = cbor.text();
    cbor.expect_text("rate");
    out.wave.rate = decimal(cbor);
    cbor.expect_text("scale");
    out.wave.scale = decimal(cbor);
    cbor.expect_text("time");
    if (!cbor.take_null())
        out.device_ms = time_after(cbor, base_ms);
    cbor.expect_text("device_clock");
    if (!cbor.take_null())
        out.device_clock = one_of(cbor, {"zone-stated", "zone-assumed", "disagrees"});
    if (out.device_clock.empty() == out.device_ms.has_value())
        cbor.fail();
    cbor.expect_text("received");
    out.received_ms = time_after(cbor, base_ms);
    cbor.expect_text("clock");
    out.clock = cbor.text();
    cbor.expect_text("count");
    const auto count = within(cbor, 1, most_samples);
    cbor.expect_text("delta");
    out.wave.samples = samples(cbor, count);
    return out;
}

std::string_view device_clock_word(DeviceClock clock) {
    switch (clock) {
        case DeviceClock::none:
            return "";
        case DeviceClock::zone_stated:
            return "zone-stated";
        case DeviceClock::zone_assumed:
            return "zone-assumed";
        case DeviceClock::disagrees:
            return "disagrees";
    }
    return "?";
}

std::string_view clock_word(base::ClockState state) {
    switch (state) {
        case base::ClockState::synchronised:
            return "synchronised";
        case base::ClockState::free_running:
            return "free-running";
        case base::ClockState::implausible:
            return "implausible";
    }
    return "?";
}

}  // namespace

std::uint8_t CborReader::byte() {
    const auto one = take(1);
    return one.empty() ? std::uint8_t{0} : one.front();
}

base::ByteView CborReader::take(std::uint64_t size) {
    if (failed_ || size > rest_.size()) {
        failed_ = true;
        return {};
    }
    const auto taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(taken.size());
    return taken;
}

std::uint64_t CborReader::head(std::uint8_t major) {
    const auto first = byte();
    const unsigned information = first & 0x1FU;
    if (first >> 5 != major || information > 27)  // 28 to 31: reserved, or no definite length
        failed_ = true;
    if (failed_)
        return 0;
    if (information < 24)
        return information;
    std::uint64_t argument = 0;
    const unsigned size = 1U << (information - 24);
    for (unsigned i = 0; i < size; ++i)
        argument = argument << 8 | byte();
    const auto least = size == 1 ? 24U : std::uint64_t{1} << size * 4;
    if (argument < least)  // a shorter head would have done
        failed_ = true;
    return failed_ ? 0 : argument;
}

std::int64_t CborReader::integer() {
    const bool negative = !rest_.empty() && rest_.front() >> 5 == 1;
    const auto argument = head(negative ? 1 : 0);
    if (argument > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        failed_ = true;
        return 0;
    }
    const auto value = static_cast<std::int64_t>(argument);
    return negative ? -1 - value : value;
}

std::string CborReader::text() {
    const auto content = take(head(3));
    if (!std::ranges::all_of(content, [](std::uint8_t c) { return c > 0x20 && c < 0x7F; }))
        failed_ = true;
    return {content.begin(), content.end()};
}

base::ByteView CborReader::bytes() {
    return take(head(2));
}

bool CborReader::take_null() {
    if (failed_ || rest_.empty() || rest_.front() != 0xF6)
        return false;
    rest_ = rest_.subspan(1);
    return true;
}

void CborReader::expect_text(std::string_view content) {
    if (text() != content)
        failed_ = true;
}

std::optional<WaveMessage> read_wave_message(base::ByteView body) {
    CborReader cbor(body);
    WaveMessage out;
    const auto pairs = cbor.map();
    if (pairs != 4 && pairs != 5)
        cbor.fail();
    cbor.expect_text("schema");
    cbor.expect_text("mitral.wave/1");
    cbor.expect_text("source");
    out.source = cbor.text();
    if (pairs == 5) {
        cbor.expect_text("subject");
        out.subject = cbor.text();
        if (out.subject.size() != 22)
            cbor.fail();
    }
    cbor.expect_text("base_time");
    const auto base_ms = cbor.integer();
    cbor.expect_text("blocks");
    for (auto blocks = cbor.array(); blocks > 0 && !cbor.failed(); --blocks)
        out.blocks.push_back(block(cbor, base_ms));
    if (!cbor.done() || out.blocks.empty() || out.blocks.front().received_ms != base_ms)
        return std::nullopt;
    return out;
}

std::vector<WaveBlock> blocks_of(const Reading& reading) {
    std::vector<WaveBlock> blocks;
    for (const auto& wave : reading.waveforms) {
        WaveBlock block{reading.control_id,
                        std::nullopt,
                        std::string(device_clock_word(reading.device_clock)),
                        reading.received.ms,
                        std::string(clock_word(reading.clock)),
                        wave};
        if (reading.device_time)
            block.device_ms = reading.device_time->ms;
        blocks.push_back(std::move(block));
    }
    return blocks;
}

}  // namespace mitral::clinical::test
