// Text encodings of bytes. Decoders are strict: no white space, no missing padding, no stray bits.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace mitral::base {

[[nodiscard]] std::string to_hex(ByteView bytes);  // lower case
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

[[nodiscard]] std::string to_base64(ByteView bytes);  // RFC 4648 §4, padded
void append_base64(ByteView bytes, std::string& out);
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);
// For keys: the decoded bytes never touch the ordinary heap.
[[nodiscard]] Result<Secret> secret_from_base64(std::string_view text);

}  // namespace mitral::base
