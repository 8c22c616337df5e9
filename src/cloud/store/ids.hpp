// Fresh identifiers and keys in the forms Azure uses.
#pragma once

#include <string>

namespace mitral::cloud::store {

[[nodiscard]] std::string new_key();   // 32 random bytes, base64
[[nodiscard]] std::string new_etag();  // base64 of a quoted counter-like value, as Azure's look
[[nodiscard]] std::string new_generation();  // digits
[[nodiscard]] std::string new_id_scope();    // "0ne" and eight upper-case hex digits
[[nodiscard]] std::string new_operation_id();
[[nodiscard]] std::string new_tracking_id();

}  // namespace mitral::cloud::store
