#include "vault/pseudonym.hpp"

namespace mitral::vault {

bool is_nameable(const Patient& patient) noexcept {
    return patient.id.size() <= max_patient_text && patient.authority.size() <= max_patient_text &&
           !(patient.id.empty() && patient.authority.empty());
}

base::Bytes pseudonym_input(const Patient& patient) {
    constexpr std::string_view domain{"mitral subject 1\0", 17};
    base::ByteWriter out;
    out.text(domain).text16(patient.authority).text(patient.id);
    return std::move(out).bytes();
}

}  // namespace mitral::vault
