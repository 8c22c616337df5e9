#include "clinical/cbor.hpp"

namespace mitral::clinical {

void CborWriter::head(std::uint8_t major, std::uint64_t argument) {
    const auto type = static_cast<std::uint8_t>(major << 5);
    if (argument < 24) {
        out_.push_back(static_cast<std::uint8_t>(type | argument));
        return;
    }
    // Additional information 24 to 27: one, two, four or eight bytes follow.
    int power = 0;
    while (power < 3 && argument >> (8U << power) != 0)
        ++power;
    out_.push_back(static_cast<std::uint8_t>(type | (24 + power)));
    for (int shift = (8 << power) - 8; shift >= 0; shift -= 8)
        out_.push_back(static_cast<std::uint8_t>(argument >> shift));
}

void CborWriter::integer(std::int64_t value) {
    // Major type 1 holds −1 − n.
    if (value >= 0)
        head(0, static_cast<std::uint64_t>(value));
    else
        head(1, ~static_cast<std::uint64_t>(value));
}

void CborWriter::bytes(base::ByteView value) {
    head(2, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
}

void CborWriter::text(std::string_view value) {
    head(3, value.size());
    out_.insert(out_.end(), value.begin(), value.end());
}

}  // namespace mitral::clinical
