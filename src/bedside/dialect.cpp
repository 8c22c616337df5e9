#include "bedside/dialect.hpp"

#include <algorithm>
#include <array>

namespace mitral::bedside {
namespace {

constexpr auto table = std::to_array<Dialect>({
    // IHE PCD-01: everything said, commit acknowledgement.
    {.name = "pcd",
     .version = "2.6",
     .event = "ORU^R01^ORU_R01",
     .wave_event = "ORU^R01^ORU_R01",
     .encoding = "^~\\&",
     .accept = "AL",
     .application = "NE",
     .letters = Letters::utf8,
     .profile = "PCD_DEC_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
     .codes = Codes::mdc,
     .units = Units::mdc,
     .missing = Missing::status,
     .zone = true,
     .milliseconds = true,
     .row_times = true,
     .containment = true,
     .kilopascal = false,
     .last_segment_ends = true},
    // After GE's monitors: application acknowledgement, UCUM, the clock on the wall without its
    // zone.
    {.name = "local",
     .version = "2.6",
     .event = "ORU^R01^ORU_R01",
     .wave_event = "ORU^W01^ORU_W01",
     .encoding = "^~\\&",
     .accept = "NE",
     .application = "AL",
     .letters = Letters::latin1,
     .profile = "",
     .codes = Codes::mdc,
     .units = Units::ucum,
     .missing = Missing::status,
     .zone = false,
     .milliseconds = false,
     .row_times = false,
     .containment = false,
     .kilopascal = true,
     .last_segment_ends = true},
    // Private codes, 0 for "not measured", original acknowledgement, a broken MSH-2.
    {.name = "private",
     .version = "2.3.1",
     .event = "ORU^R01",
     .wave_event = "ORU^R01",
     .encoding = "^~ &",
     .accept = "",
     .application = "",
     .letters = Letters::ascii,
     .profile = "",
     .codes = Codes::own,
     .units = Units::plain,
     .missing = Missing::zero,
     .zone = false,
     .milliseconds = false,
     .row_times = false,
     .containment = false,
     .kilopascal = false,
     .last_segment_ends = false},
    // The monitor is the server and speaks when queried; -100 for "not measured".
    {.name = "queried",
     .version = "2.3.1",
     .event = "ORU^R01",
     .wave_event = "ORU^R01",
     .encoding = "^~\\&",
     .accept = "",
     .application = "",
     .letters = Letters::utf8,
     .profile = "",
     .codes = Codes::own,
     .units = Units::plain,
     .missing = Missing::code,
     .zone = true,
     .milliseconds = false,
     .row_times = true,
     .containment = false,
     .kilopascal = false,
     .last_segment_ends = true},
});

}  // namespace

std::span<const Dialect> dialects() noexcept {
    return table;
}

const Dialect* find_dialect(std::string_view name) noexcept {
    const auto found = std::ranges::find(table, name, &Dialect::name);
    return found == table.end() ? nullptr : &*found;
}

}  // namespace mitral::bedside
