// Where a consumer begins to read: the filter that clients of Event Hubs attach with.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace mitral::cloud::amqp {

struct Position {
    enum class Kind : std::uint8_t { earliest, latest, offset, enqueued };
    Kind kind = Kind::earliest;
    std::uint64_t from = 0;     // the first offset wanted
    std::int64_t after_ms = 0;  // only what was enqueued later than this
};

// "amqp.annotation.x-opt-offset > '12'", with ">=" too; x-opt-offset ('-1': the earliest,
// '@latest'), x-opt-sequence-number, x-opt-enqueued-time (Unix milliseconds). At most 256
// characters. Fails with invalid_argument.
[[nodiscard]] base::Result<Position> parse_selector(std::string_view text);

}  // namespace mitral::cloud::amqp
