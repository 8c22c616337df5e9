#include "clinical/errors.hpp"

namespace mitral::clinical {
namespace {

const char* describe(ClinicalError error) {
    switch (error) {
        case ClinicalError::malformed_record:
            return "malformed record";
        case ClinicalError::unknown_version:
            return "unknown record version";
        case ClinicalError::out_of_bounds:
            return "out of bounds";
        case ClinicalError::empty_batch:
            return "empty batch";
    }
    return "unknown";
}

}  // namespace

const std::error_category& clinical_category() noexcept {
    static const base::RoomCategory<ClinicalError> category("clinical", describe);
    return category;
}

}  // namespace mitral::clinical
