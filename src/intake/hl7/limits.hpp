// What a monitor, and all of them together, may ask of the process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "intake/hl7/mllp_decoder.hpp"
#include "intake/store/group_commit.hpp"

namespace mitral::intake::hl7 {

struct ServerLimits {
    std::size_t connections = 512;
    std::size_t connections_per_address = 16;
    std::size_t frame_bytes = MllpDecoder::longest_frame;
    base::Milliseconds idle{300'000};
    base::Milliseconds frame{30'000};      // from a frame's first byte to its end
    base::Milliseconds handshake{10'000};  // from connecting to knowing who it is
    std::int64_t messages_per_s = 50;      // of one monitor; beyond it is read later
    std::size_t piece_bytes = 16 * 1024;   // read from a connection in one pass
    std::size_t unread_replies = 256 * 1024;
    std::size_t unfinished_bytes = 64U << 20;  // of all frames that have no end yet
    GroupCommit::Limits group;
};

}  // namespace mitral::intake::hl7
