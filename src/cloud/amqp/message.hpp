// AMQP 1.0 messages as values (OASIS AMQP 1.0 part 3, § 3.2); no library types.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace mitral::cloud::amqp {

struct Timestamp {
    std::int64_t ms = 0;  // since the Unix epoch
};
struct Binary {
    std::string bytes;
};
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
};
using Value = std::variant<std::monostate, bool, std::int32_t, std::int64_t, std::uint64_t,
                           Timestamp, std::string, Binary, Uuid, std::vector<std::string>>;
using Map = std::vector<std::pair<std::string, Value>>;

struct Message {
    Value id{};  // string, ulong, uuid or binary
    Value correlation_id{};
    std::string user_id{};
    std::string to{};
    std::string reply_to{};
    std::string content_type{};
    std::string content_encoding{};
    std::int64_t expires_ms = 0;  // absolute expiry time; 0: none
    std::uint32_t ttl_ms = 0;     // of the header; 0: none
    Map annotations{};
    Map properties{};  // the application's
    // Bytes make a data section, text and maps a value section. A received body of any kind that is
    // no map comes as bytes.
    std::variant<Binary, std::string, Map> body{};
};

// The text of a string, a number, a truth value, a time, or an id of any kind; empty for other
// values. MQTT knows texts only.
[[nodiscard]] std::string text_of(const Value& value);
[[nodiscard]] std::string text_property(const Message& message, std::string_view name);

// Fails with malformed_packet on bytes that are no sections. What the library cannot read, and what
// a map nests deeper than one level, is left out.
[[nodiscard]] base::Result<Message> decode_message(base::ByteView bytes);
[[nodiscard]] base::Result<base::Bytes> encode_message(const Message& message);

}  // namespace mitral::cloud::amqp
