// Turns the records of one batch into the messages that go to the cloud. Deterministic: the same
// records give the same messages, byte for byte, so that a resend after a crash is a true
// duplicate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "clinical/observation.hpp"

namespace mitral::clinical {

struct BatchEntry {
    std::uint64_t sequence = 0;  // of the spool record
    Reading reading;
};

struct CloudMessage {
    std::string_view schema;            // "mitral.vitals/1" or "mitral.wave/1"
    std::string_view content_type;      // "application/json" or "application/cbor"
    std::string_view content_encoding;  // "utf-8" or empty
    std::string source;
    std::uint64_t first_sequence = 0;  // of the first entry in it; with the schema unique in a lane
    base::Bytes body;
};

constexpr std::size_t max_body_size =
    240 * 1024;  // leaves room for properties under the hub's 256 KiB

// One message per source, subject and schema, more where the size bound asks for it. Entries come
// in sequence order.
[[nodiscard]] base::Result<std::vector<CloudMessage>> encode_batch(
    const std::vector<BatchEntry>& entries);

}  // namespace mitral::clinical
