#include "intake/hl7/observation_row.hpp"

namespace mitral::intake::hl7 {

ObservationRow::ObservationRow(const Segment& segment, const Delimiters& delimiters,
                               std::uint16_t index) noexcept
    : delimiters_(&delimiters), index_(index) {
    // One walk, because this runs for every observation.
    auto rest = segment.raw();
    for (auto& field : fields_) {
        const auto end = rest.find(delimiters.field);
        field = rest.substr(0, end);
        if (end == std::string_view::npos)
            break;
        rest.remove_prefix(end + 1);
    }
}

}  // namespace mitral::intake::hl7
