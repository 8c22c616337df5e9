// The few CBOR items a wave message is made of (RFC 8949 §3, definite lengths, shortest heads:
// §4.2.1).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::clinical {

class CborWriter {
  public:
    explicit CborWriter(base::Bytes& out) noexcept : out_(out) {}

    void integer(std::int64_t value);
    void bytes(base::ByteView value);
    void text(std::string_view value);
    void array(std::uint64_t items) { head(4, items); }
    void map(std::uint64_t pairs) { head(5, pairs); }
    void null() { out_.push_back(0xF6); }

  private:
    void head(std::uint8_t major, std::uint64_t argument);

    base::Bytes& out_;
};

}  // namespace mitral::clinical
