#include "intake/lines/line_parser.hpp"

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "clinical/codes.hpp"
#include "clinical/identifier.hpp"
#include "clinical/record.hpp"
#include "intake/lines/json_members.hpp"

namespace mitral::intake {
namespace {

using clinical::Decimal;
using clinical::Observation;
using clinical::Waveform;
using json::Place;
using json::refuse;
using json::Value;

static_assert(LineParser::padding >= simdjson::SIMDJSON_PADDING);

constexpr std::string_view identifier_rule = " must be 1 to 64 of [A-Za-z0-9._:-]";

using Text = std::expected<std::string_view, Refusal>;

Text identifier(Value& value, Place place, std::string_view key) {
    auto content = json::text(value, place, key);
    if (content && !clinical::is_identifier(*content))
        return refuse(place, std::string(key).append(identifier_rule));
    return content;
}

// The code of an observation or a waveform with the unit that goes with it.
struct Naming {
    std::string_view code;
    std::string_view unit;
};

// Fills in the unit when the table knows only one, and refuses a unit the code is not measured in.
std::expected<std::uint32_t, Refusal> resolve(Naming& naming, Place place,
                                              std::uint64_t& unknown_codes) {
    const auto* entry = clinical::find_code(naming.code);
    if (entry != nullptr && clinical::find_unit(*entry, naming.unit) != nullptr)
        return clinical::published_mdc(*entry);
    if (!naming.unit.empty()) {
        const auto right = clinical::ucum_for_misspelling(naming.unit);
        if (!right.empty())
            return refuse(place, "unit '" + json::fragment(naming.unit) + "' is not UCUM: write '" +
                                     std::string(right) + "'");
    }
    if (entry == nullptr) {
        if (naming.unit.empty())
            return refuse(place, "unit is missing, and code '" + json::fragment(naming.code) +
                                     "' is not in the table");
        ++unknown_codes;
        return 0U;
    }
    if (naming.unit.empty() && entry->units.size() == 1)
        naming.unit = entry->units.front().ucum;
    else if (naming.unit.empty())
        return refuse(place, "unit is missing, and " + std::string(naming.code) +
                                 " is measured in more than one");
    else
        return refuse(place, "unit '" + json::fragment(naming.unit) + "' does not go with " +
                                 std::string(naming.code));
    return clinical::published_mdc(*entry);
}

Acceptance take_code(Value& value, Place place, Naming& naming) {
    const auto code = identifier(value, place, "code");
    if (!code)
        return std::unexpected(code.error());
    naming.code = *code;
    return {};
}

Acceptance take_unit(Value& value, Place place, Naming& naming) {
    const auto unit = json::text(value, place, "unit");
    if (!unit)
        return std::unexpected(unit.error());
    if (!clinical::is_unit(*unit))
        return refuse(place, "unit must be 1 to 32 visible ASCII characters of UCUM");
    naming.unit = *unit;
    return {};
}

Acceptance take_number(Value& value, Place place, std::string_view key,
                       std::optional<Decimal>& out) {
    out = clinical::parse_decimal(json::number_token(value));
    if (!out)
        return refuse(place, std::string(key).append(
                                 " must be a JSON number of at most 18 significant digits"));
    return {};
}

// ── observations ─────────────────────────────────────────────────────────────────────────────────

class ObservationReader {
  public:
    ObservationReader(Place place, std::uint64_t& unknown_codes) noexcept
        : place_(place), unknown_codes_(unknown_codes) {}

    Acceptance read(Value& value, Observation& out) {
        simdjson::ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS)
            return refuse(place_, "must be an object");
        static constexpr std::array<std::string_view, 4> keys{"code", "value", "unit", "absent"};
        auto accepted =
            json::for_members(object, place_, keys,
                              [&](std::size_t key, Value& member) { return take(key, member); });
        return accepted ? finish(out) : accepted;
    }

  private:
    Acceptance take(std::size_t key, Value& member) {
        switch (key) {
            case 0:
                return take_code(member, place_, naming_);
            case 1:
                return take_number(member, place_, "value", value_);
            case 2:
                return take_unit(member, place_, naming_);
            default:
                return take_absent(member);
        }
    }

    Acceptance take_absent(Value& member) {
        const auto reason = json::text(member, place_, "absent");
        if (!reason)
            return std::unexpected(reason.error());
        absent_ = clinical::parse_absent(*reason);
        if (!absent_)
            return refuse(place_,
                          "absent must be one of unknown, not-measured, sensor-off, error, "
                          "not-a-number, above-range, below-range");
        return {};
    }

    Acceptance finish(Observation& out) {
        if (naming_.code.empty())
            return refuse(place_, "code is missing");
        if (value_.has_value() == absent_.has_value())
            return refuse(place_, "give either value or absent");
        const auto mdc = resolve(naming_, place_, unknown_codes_);
        if (!mdc)
            return std::unexpected(mdc.error());
        out.mdc = *mdc;
        out.code.assign(naming_.code);
        out.unit.assign(naming_.unit);
        if (value_)
            out.value = *value_;
        else
            out.value = *absent_;
        return {};
    }

    Place place_;
    std::uint64_t& unknown_codes_;
    Naming naming_;
    std::optional<Decimal> value_;
    std::optional<clinical::Absent> absent_;
};

// ── waveforms ────────────────────────────────────────────────────────────────────────────────────

class WaveformReader {
  public:
    WaveformReader(Place place, std::uint64_t& unknown_codes) noexcept
        : place_(place), unknown_codes_(unknown_codes) {}

    Acceptance read(Value& value, Waveform& out) {
        simdjson::ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS)
            return refuse(place_, "must be an object");
        out.samples.clear();
        static constexpr std::array<std::string_view, 5> keys{"code", "unit", "rate", "scale",
                                                              "samples"};
        auto accepted = json::for_members(
            object, place_, keys,
            [&](std::size_t key, Value& member) { return take(key, member, out); });
        return accepted ? finish(out) : accepted;
    }

  private:
    Acceptance take(std::size_t key, Value& member, Waveform& out) {
        switch (key) {
            case 0:
                return take_code(member, place_, naming_);
            case 1:
                return take_unit(member, place_, naming_);
            case 2:
                return take_number(member, place_, "rate", rate_);
            case 3:
                return take_number(member, place_, "scale", scale_);
            default:
                return take_samples(member, out);
        }
    }

    Acceptance take_samples(Value& member, Waveform& out) {
        using Limits = std::numeric_limits<std::int32_t>;
        simdjson::ondemand::array array;
        if (member.get_array().get(array) != simdjson::SUCCESS)
            return refuse(place_, "samples must be an array");
        for (auto element : array) {
            std::int64_t sample = 0;
            if (element.get_int64().get(sample) != simdjson::SUCCESS || sample < Limits::min() ||
                sample > Limits::max())
                return refuse(place_, "samples must be whole numbers of 32 bits");
            if (out.samples.size() == clinical::max_samples)
                return refuse(place_, "more than 32768 samples");
            out.samples.push_back(static_cast<std::int32_t>(sample));
        }
        return {};
    }

    Acceptance finish(Waveform& out) {
        if (naming_.code.empty())
            return refuse(place_, "code is missing");
        if (!rate_ || rate_->mantissa <= 0)
            return refuse(place_, "rate is missing or not above zero");
        if (!scale_ || scale_->mantissa == 0)
            return refuse(place_, "scale is missing or zero");
        if (out.samples.empty())
            return refuse(place_, "samples are missing");
        const auto mdc = resolve(naming_, place_, unknown_codes_);
        if (!mdc)
            return std::unexpected(mdc.error());
        out.mdc = *mdc;
        out.code.assign(naming_.code);
        out.unit.assign(naming_.unit);
        out.rate = *rate_;
        out.scale = *scale_;
        return {};
    }

    Place place_;
    std::uint64_t& unknown_codes_;
    Naming naming_;
    std::optional<Decimal> rate_;
    std::optional<Decimal> scale_;
};

// Reads the elements of a list into `items`, which keep their memory from line to line.
template <typename Reader, typename Item>
Acceptance take_list(Value& value, const char* name, std::size_t bound, std::vector<Item>& items,
                     std::uint64_t& unknown_codes) {
    simdjson::ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS)
        return refuse(std::string(name).append(" must be an array"));
    std::size_t count = 0;
    for (auto element : array) {
        const Place place{name, count};
        if (count == bound)
            return refuse(place, "more than this format takes");
        Value item;
        if (std::move(element).get(item) != simdjson::SUCCESS)
            return refuse(place, "not well-formed JSON");
        if (count == items.size())
            items.emplace_back();
        if (auto accepted = Reader(place, unknown_codes).read(item, items[count]); !accepted)
            return accepted;
        ++count;
    }
    if (count == 0)
        return refuse(std::string(name).append(" is empty"));
    items.resize(count);
    return {};
}

}  // namespace

struct LineParser::State {
    simdjson::ondemand::parser parser;
    std::uint64_t unknown_codes = 0;

    // Walks the one object that a line is.
    template <std::size_t count, typename Visit>
    Acceptance walk(std::string_view line, const std::array<std::string_view, count>& keys,
                    Visit&& visit) {
        simdjson::ondemand::document document;
        simdjson::ondemand::object object;
        const simdjson::padded_string_view padded(line.data(), line.size(),
                                                  line.size() + LineParser::padding);
        if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
            document.get_object().get(object) != simdjson::SUCCESS)
            return refuse("not a JSON object on one line, in UTF-8");
        if (auto accepted = json::for_members(object, {}, keys, visit); !accepted)
            return accepted;
        // On-Demand stops at the closing brace: something may stand behind it.
        if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
            return refuse("something follows the JSON object");
        return {};
    }

    Acceptance take(std::size_t key, Value& member, clinical::Reading& out) {
        switch (key) {
            case 0:
                return take_id(member, out);
            case 1:
                return take_time(member, out);
            case 2:
                return take_list<ObservationReader>(member, "obs", clinical::max_observations,
                                                    out.observations, unknown_codes);
            default:
                return take_list<WaveformReader>(member, "waves", clinical::max_waveforms,
                                                 out.waveforms, unknown_codes);
        }
    }

    static Acceptance take_id(Value& member, clinical::Reading& out) {
        const auto id = identifier(member, {}, "id");
        if (!id)
            return std::unexpected(id.error());
        out.control_id.assign(*id);
        return {};
    }

    static Acceptance take_time(Value& member, clinical::Reading& out) {
        const auto text = json::text(member, {}, "time");
        if (!text)
            return std::unexpected(text.error());
        out.device_time = base::from_iso8601(*text);
        if (!out.device_time || *out.device_time < clinical::earliest_time ||
            *out.device_time > clinical::latest_time)
            return refuse("time must be RFC 3339 with a zone, as 2026-01-01T00:00:00.000Z");
        out.device_clock = clinical::DeviceClock::zone_stated;
        return {};
    }
};

LineParser::LineParser() : state_(std::make_unique<State>()) {}
LineParser::~LineParser() = default;

std::expected<Header, Refusal> LineParser::header(std::string_view line) {
    static constexpr std::array<std::string_view, 3> keys{"schema", "source", "ack"};
    Header header;
    bool schema_seen = false;
    const auto accepted =
        state_->walk(line, keys, [&](std::size_t key, Value& member) -> Acceptance {
            const auto text =
                key == 1 ? identifier(member, {}, "source") : json::text(member, {}, keys[key]);
            if (!text)
                return std::unexpected(text.error());
            if (key == 0 && *text != "mitral.lines/1")
                return refuse("schema must be mitral.lines/1");
            if (key == 2 && *text != "line" && *text != "batch")
                return refuse("ack must be line or batch");
            schema_seen |= key == 0;
            if (key == 1)
                header.source.assign(*text);
            if (key == 2)
                header.acknowledge = *text == "batch" ? Acknowledge::batch : Acknowledge::line;
            return {};
        });
    if (!accepted)
        return std::unexpected(accepted.error());
    if (!schema_seen || header.source.empty())
        return refuse("the first line must give schema and source");
    return header;
}

Acceptance LineParser::reading(std::string_view line, clinical::Reading& out) {
    static constexpr std::array<std::string_view, 4> keys{"id", "time", "obs", "waves"};
    unsigned given = 0;
    out.device_time.reset();
    out.device_clock = clinical::DeviceClock::none;
    auto accepted = state_->walk(line, keys, [&](std::size_t key, Value& member) {
        given |= 1U << key;
        return state_->take(key, member, out);
    });
    if (!accepted)
        return accepted;
    const bool has_observations = (given & 4U) != 0;
    const bool has_waveforms = (given & 8U) != 0;
    if ((given & 1U) == 0)
        return refuse("id is missing");
    if (!has_observations && !has_waveforms)
        return refuse("neither obs nor waves");
    if (!has_observations)
        out.observations.clear();
    if (!has_waveforms)
        out.waveforms.clear();
    // Positions in obs, continuing into waves.
    std::uint16_t index = 0;
    for (auto& observation : out.observations)
        observation.index = index++;
    for (auto& wave : out.waveforms)
        wave.index = index++;
    return {};
}

std::uint64_t LineParser::unknown_codes() const noexcept {
    return state_->unknown_codes;
}

}  // namespace mitral::intake
