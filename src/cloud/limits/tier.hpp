// What a tier of IoT Hub allows (IoT Hub, "Quotas and throttling").
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace mitral::cloud::limits {

struct Figures {
    std::int64_t messages_a_day = 0;
    std::int64_t meter_bytes = 4'096;  // a message counts once for each of these that it begins
    std::int64_t connects_a_second = 0;
    std::int64_t sends_a_second = 0;
    std::int64_t devicebound_a_minute = 0;
    std::int64_t registry_a_minute = 0;
    std::int64_t queries_a_minute = 0;
    std::int64_t twin_reads_a_second = 0;
    std::int64_t twin_updates_a_second = 0;
    std::int64_t method_bytes_a_second = 0;
};

// `tier` is F1 (one unit), S1 or S2 (200 units at most) or S3 (10). Fails with invalid_argument.
[[nodiscard]] base::Result<Figures> figures_of(std::string_view tier, std::int64_t units);

}  // namespace mitral::cloud::limits
