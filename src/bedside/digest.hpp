// What the ledger compares: the hash of what a monitor said about one observation. Written from
// docs/formats/lines-1.md and the ledger's own definition, not from the gateway.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mitral::bedside {

[[nodiscard]] std::string value_content(std::string_view decimal);
[[nodiscard]] std::string absent_content(std::string_view reason);
[[nodiscard]] std::string wave_content(std::uint32_t rate, std::string_view scale,
                                       std::span<const std::int32_t> samples);

// The hash's text up to the device time: ["code","unit","content",
[[nodiscard]] std::string digest_head(std::string_view code, std::string_view unit,
                                      std::string_view content);
// The first 32 hexadecimal digits of SHA-256 over head, time (ms since the epoch) and "]".
[[nodiscard]] std::string digest(std::string_view head, std::int64_t device_time_ms);

// The identity of a message (HL7 fields as sent): the first 16 bytes of SHA-256 over MSH-3, 00,
// MSH-10, 00, MSH-7, in hexadecimal.
[[nodiscard]] std::string message_identity(std::string_view sender, std::string_view control_id,
                                           std::string_view time);

}  // namespace mitral::bedside
