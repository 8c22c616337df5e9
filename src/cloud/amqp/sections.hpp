// The outline of an encoded message, looked at before the library reads it.
#pragma once

#include "base/bytes.hpp"

namespace mitral::cloud::amqp {

// Whether these bytes are sections of a message, one after the other to the end (AMQP 1.0 part 3,
// § 3.2; encodings: part 1, § 1.6). What is in them is not looked at. Proton 0.37 takes what is no
// section for the start of a body that reaches to the end, again and again: time that grows with
// the square of the size.
[[nodiscard]] bool are_sections(base::ByteView bytes);

}  // namespace mitral::cloud::amqp
