// Reads encoded values of AMQP 1.0 (part 1, § 1.6), no deeper than their outline.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace mitral::cloud::amqp {

class EncodedValues {
  public:
    explicit EncodedValues(base::ByteView bytes) : rest_(bytes) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    // Something was not what was asked for; from then on all is null.
    [[nodiscard]] bool broken() const noexcept { return broken_; }

    // Past the end and null alike: none. Other types break.
    std::optional<std::uint32_t> uint();
    std::optional<bool> boolean();
    std::optional<std::string_view> text();   // a string
    std::optional<std::string_view> bytes();  // binary
    // A described value: its descriptor, a ulong, and the value behind it. None when null.
    struct Described {
        std::uint64_t code = 0;
        base::ByteView value;
    };
    std::optional<Described> described();
    // The members of a list, which has to be the next value.
    [[nodiscard]] EncodedValues list();
    [[nodiscard]] base::ByteView remaining() const noexcept { return rest_; }
    // Any value; false when it does not fit.
    bool skip();

  private:
    std::uint8_t constructor();
    std::uint64_t number(std::size_t size);
    std::optional<std::string_view> block(std::uint8_t short_form, std::uint8_t long_form);
    bool skip_plain();
    bool fail();

    base::ByteView rest_;
    bool broken_ = false;
};

}  // namespace mitral::cloud::amqp
