#include "intake/hl7/interpreter.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "intake/hl7/device_time.hpp"
#include "intake/hl7/number.hpp"
#include "intake/hl7/observation_row.hpp"
#include "intake/hl7/parameter.hpp"
#include "intake/hl7/reading_builder.hpp"
#include "intake/hl7/text.hpp"
#include "intake/hl7/units.hpp"
#include "intake/hl7/value.hpp"
#include "intake/hl7/wave_reader.hpp"

namespace mitral::intake::hl7 {
namespace {

// Segments of HL7 v2.6 that stand in reports and answers of monitors. They are no surprise, whether
// we read them or not.
constexpr auto standard_segments = std::to_array<std::string_view>(
    {"AL1", "ARV", "CTD", "CTI", "DG1", "DSC", "DSP", "ERR", "EVN", "FT1", "GT1", "IN1",
     "MSA", "MSH", "NK1", "NTE", "OBR", "OBX", "ORC", "PD1", "PID", "PRT", "PV1", "PV2",
     "QAK", "QPD", "QRD", "QRF", "ROL", "SFT", "SPM", "TQ1", "TQ2", "UAC"});
static_assert(std::ranges::is_sorted(standard_segments));

bool reports_observations(const Segment& header) noexcept {
    const auto type = header.field(9);
    const auto code = type.component(1).raw();
    const auto trigger = type.component(2).raw();
    // ORF^R04: a monitor that has been asked (QRY^R02).
    if (code == "ORF")
        return trigger == "R04" || trigger == "W02";
    static constexpr std::array<std::string_view, 6> triggers{"",    "R01", "R30",
                                                              "R31", "R32", "W01"};
    return code == "ORU" && std::ranges::find(triggers, trigger) != triggers.end();
}

// MSH-11, table 0103: training and debugging. Numbers of nobody would go on as a patient's.
bool is_exercise(const Segment& header) noexcept {
    const auto id = trimmed(header.field(11).component(1).raw());
    return id == "T" || id == "D";
}

constexpr std::size_t longest_time = 64;

bool is_pseudonym(std::string_view text) noexcept {
    constexpr std::size_t base64url_of_128_bit = 22;
    return text.size() == base64url_of_128_bit && std::ranges::all_of(text, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

// One message on its way to readings.
class Report {
  public:
    Report(const Message& message, const Sender& sender, const Arrival& arrival,
           Pseudonyms* pseudonyms, NotUnderstood& counts, Findings* findings)
        : message_(message),
          sender_(sender),
          arrival_(arrival),
          pseudonyms_(pseudonyms),
          counts_(counts),
          findings_(findings),
          builder_(control_id_of(message, sender.dialect), arrival.received, arrival.clock,
                   Interpreter::max_readings) {
        const auto sent = sent_at(message, sender.zone, arrival.received);
        if (sent)
            sender_disagrees_ = is_far(*sent);
    }

    std::expected<std::vector<clinical::Reading>, Unusable> read() {
        begin_patient(nullptr);
        for (const auto& segment : message_.segments()) {
            take(segment);
            if (builder_.overflowed())
                return std::unexpected(Unusable{"more than 1024 device times"});
            if (waves_ && waves_->overflowed())
                return std::unexpected(Unusable{"more than 16384 waveforms"});
        }
        auto readings = builder_.take();
        // AA would say that they are in safe keeping.
        if (readings.empty() && kept_out_by_bed_)
            return std::unexpected(Unusable{"its bed is not in the list of this gateway"});
        return readings;
    }

  private:
    void take(const Segment& segment) {
        const auto name = segment.name();
        order_ += begins_order(segment) ? 1U : 0U;
        if (name == "OBX")
            take_observation(segment);
        else if (name == "OBR")
            begin_order(segment);
        else if (name == "PID")
            begin_patient(&segment);
        else if (name == "PV1")
            set_bed(segment.field(3).raw());
        else if (!std::ranges::binary_search(standard_segments, name))
            ++counts_.segments;
    }

    void begin_order(const Segment& segment) {
        // No time is longer; cut, a long text is none, and costs little for each row of the order.
        order_time_ = segment.field(7).component(1).raw().substr(0, longest_time);
    }

    // ── whose ────────────────────────────────────────────────────────────────────────────────────

    void begin_patient(const Segment* pid) {
        bed_is_known_ = true;
        patient_ = {sender_.source, pid != nullptr ? subject_of(*pid) : std::string{}};
        builder_.set_patient(patient_);
        order_time_ = {};
    }

    void set_bed(std::string_view bed) {
        if (sender_.beds.empty() || bed.empty())
            return;
        const auto found = sender_.beds.find(bed);
        bed_is_known_ = found != sender_.beds.end();
        if (!bed_is_known_) {
            ++counts_.beds;
            return;
        }
        patient_.source = found->second;
        builder_.set_patient(patient_);
    }

    std::string subject_of(const Segment& pid) {
        if (pseudonyms_ == nullptr)
            return {};
        const auto ids = pid.field(3);
        for (auto rest = ids.raw(); !rest.empty();) {
            const auto end = rest.find(message_.delimiters().repetition);
            const Part id(rest.substr(0, end), message_.delimiters());
            const auto number = id.component(1);
            if (!number.empty() && !number.is_null())
                return pseudonym_of(number, id.component(4).subcomponent(1));
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        }
        return {};
    }

    std::string pseudonym_of(const Part& id, const Part& authority) {
        const auto& delimiters = message_.delimiters();
        auto found =
            pseudonyms_->of(unescape(id.raw(), delimiters), unescape(authority.raw(), delimiters));
        if (found && is_pseudonym(*found))
            return *std::move(found);
        ++counts_.subjects;
        return {};
    }

    // ── when ─────────────────────────────────────────────────────────────────────────────────────

    bool is_far(base::WallTime time) const noexcept {
        return std::abs(time.ms - arrival_.received.ms) > sender_.clock_tolerance.count();
    }

    static bool is_said(std::string_view text) noexcept { return !text.empty() && text != "\"\""; }

    // OBX-14, else OBR-7.
    std::optional<DeviceTime> time_of(const ObservationRow& row) {
        return read_time_of(row, is_said(row.time()) ? row.time() : order_time_);
    }

    std::optional<DeviceTime> read_time_of(const ObservationRow& row, std::string_view field) {
        if (!is_said(field))
            return std::nullopt;
        const auto text = Part(field, message_.delimiters()).component(1).raw();
        // Most observations of a message have the same time.
        if (text != last_time_text_ || !last_time_is_known_) {
            last_time_text_ = text;
            last_time_ = read_time(text, sender_.zone, arrival_.received);
            last_time_is_known_ = true;
            if (last_time_ && disagrees(last_time_->instant))
                last_time_->certainty = clinical::DeviceClock::disagrees;
        }
        if (!last_time_)
            note(row, {&NotUnderstood::times, "its time is none, or lacks the zone"});
        return last_time_;
    }

    bool disagrees(base::WallTime measured) const noexcept {
        if (arrival_.clock == base::ClockState::implausible)
            return false;
        return sender_disagrees_.value_or(is_far(measured));
    }

    // ── what ─────────────────────────────────────────────────────────────────────────────────────

    void take_observation(const Segment& segment) {
        const ObservationRow row(segment, message_.delimiters(), next_index_++);
        if (!bed_is_known_) {
            kept_out_by_bed_ = true;
            note_uncounted(row, {&NotUnderstood::beds, "its bed is not in the list"});
            return;
        }
        if (row.has_samples()) {
            take_waves(row);
            return;
        }
        if (is_wave_fact(row))
            return;
        const auto unit = read_unit(row.unit(), sender_.dialect, nullptr);
        const auto match = read_parameter(row.identifier(), sender_.dialect, unit.ucum);
        if (match.verdict == ParameterMatch::Verdict::found) {
            if (const auto status = add(row, match.parameter, unit); !status)
                note(row, status.error());
            return;
        }
        if (row.is_containment())
            return;
        if (match.verdict == ParameterMatch::Verdict::unknown)
            note(row, {&NotUnderstood::codes, "its code is in no table"});
        else
            note(row, {&NotUnderstood::conflicting_codes, "its code means two different things"});
    }

    void take_waves(const ObservationRow& row) {
        if (!waves_)
            waves_.emplace(message_, sender_.dialect);
        if (const auto why = disclaimed(row)) {
            note(row, *why);
            waves_->pass_over(row, order_);
            return;
        }
        const auto of_channel =
            is_said(row.time()) ? std::string_view{} : waves_->start_of(row, order_);
        const bool starts_with_channel = is_said(of_channel);
        const auto start = starts_with_channel ? read_time_of(row, of_channel) : time_of(row);
        auto waves = waves_->read(row, order_, start, starts_with_channel);
        for (auto& piece : waves.pieces)
            builder_.add(std::move(piece.wave), piece.time);
        for (const auto& why : waves.kept_out)
            note(row, why);
    }

    std::expected<void, KeptOut> add(const ObservationRow& row, const Parameter& parameter,
                                     const UnitMatch& unit) {
        auto value = read_value(row, parameter, sender_.dialect);
        if (!value)
            return std::unexpected(value.error());
        const auto ucum = unit_of(row, parameter, unit, *value);
        if (!ucum)
            return std::unexpected(ucum.error());
        builder_.add(
            clinical::Observation{row.index(), parameter.mdc(), std::string(parameter.name()),
                                  std::string(*ucum), *value},
            time_of(row));
        return {};
    }

    std::expected<std::string_view, KeptOut> unit_of(const ObservationRow& row,
                                                     const Parameter& parameter, UnitMatch unit,
                                                     const Value& value) const {
        if (parameter.own != nullptr)
            unit = read_unit(row.unit(), sender_.dialect, parameter.own);
        const auto kept_out = [](std::string_view why) {
            return std::unexpected(KeptOut{&NotUnderstood::units, why});
        };
        switch (unit.verdict) {
            case UnitMatch::Verdict::conflicting:
                return kept_out("its unit means two different things");
            case UnitMatch::Verdict::unknown:
                return kept_out("its unit is in no table");
            case UnitMatch::Verdict::found: {
                const auto allowed = parameter.allowed(unit.ucum);
                return allowed.empty() ? kept_out("its unit is none of its code's")
                                       : std::expected<std::string_view, KeptOut>(allowed);
            }
            case UnitMatch::Verdict::empty:
                break;
        }
        if (const auto implied = parameter.implied_unit(); !implied.empty())
            return implied;
        // An absence has no magnitude that a wrong unit could change.
        if (std::holds_alternative<clinical::Absent>(value) && parameter.entry != nullptr)
            return parameter.entry->units.front().ucum;
        return kept_out("it has no unit, and its code has several");
    }

    // ── what not ─────────────────────────────────────────────────────────────────────────────────

    void note(const ObservationRow& row, const KeptOut& why) {
        ++(counts_.*why.counter);
        note_uncounted(row, why);
    }
    void note_uncounted(const ObservationRow& row, const KeptOut& why) {
        if (findings_ != nullptr)
            findings_->push_back({row.index(), why.counter, why.why});
    }

    const Message& message_;
    const Sender& sender_;
    const Arrival& arrival_;
    Pseudonyms* pseudonyms_;
    NotUnderstood& counts_;
    Findings* findings_;
    ReadingBuilder builder_;
    std::optional<bool> sender_disagrees_;
    Patient patient_;
    bool bed_is_known_ = true;
    bool kept_out_by_bed_ = false;
    std::string_view order_time_;  // OBR-7
    std::string_view last_time_text_;
    std::optional<DeviceTime> last_time_;
    bool last_time_is_known_ = false;
    std::size_t order_ = 0;
    std::optional<WaveReader> waves_;  // where there are samples
    std::uint16_t next_index_ = 0;
};

}  // namespace

Interpreter::Interpreter(Pseudonyms* pseudonyms) noexcept : pseudonyms_(pseudonyms) {}

std::expected<std::vector<clinical::Reading>, Unusable> Interpreter::read(const Message& message,
                                                                          const Sender& sender,
                                                                          const Arrival& arrival,
                                                                          NotUnderstood& counts,
                                                                          Findings* findings) {
    if (!reports_observations(message.header()))
        return std::unexpected(Unusable{"not a report of observations (ORU^R01 and its like)"});
    if (is_exercise(message.header()))
        return std::unexpected(Unusable{"MSH-11 says that it is for training or debugging"});
    return Report(message, sender, arrival, pseudonyms_, counts, findings).read();
}

std::optional<base::WallTime> sent_at(const Message& message, const Zone* zone,
                                      base::WallTime received) {
    const auto time = read_time(message.header().field(7).component(1).raw(), zone, received);
    return time ? std::optional(time->instant) : std::nullopt;
}

}  // namespace mitral::intake::hl7
