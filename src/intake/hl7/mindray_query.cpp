#include "intake/hl7/mindray_query.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "intake/hl7/mllp_decoder.hpp"

namespace mitral::intake::hl7 {
namespace {

// To the second, as QRD-1 has it.
std::string hl7_time(base::WallTime now) {
    auto text = base::to_iso8601(now);
    std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
    return text.substr(0, 14);
}

}  // namespace

std::string mindray_query(base::WallTime now, std::uint64_t number) {
    const auto time = hl7_time(now);
    return fmt::format(
        "{}MSH|^~\\&|||||{}||QRY^R02|{}|P|2.3.1\r"
        "QRD|{}|R|I|Q{}|||||RES\r"
        "QRF|MON||||0&0^1^1^0^101&160\r{}{}",
        frame_start, time, number, time, number, frame_end, frame_trailer);
}

}  // namespace mitral::intake::hl7
