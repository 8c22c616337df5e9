#include "attest/report.hpp"

namespace mitral::attest {

base::Bytes encode(const Report& report) {
    base::ByteWriter out;
    out.u64(report.log_entries).raw(report.log_head);
    out.u8(static_cast<std::uint8_t>(report.lanes.size()));
    for (const auto& lane : report.lanes)
        out.text16(lane.name)
            .u64(lane.stream)
            .u64(lane.first)
            .u64(lane.end)
            .raw(lane.hash)
            .u64(lane.gaps);
    return std::move(out).bytes();
}

}  // namespace mitral::attest
