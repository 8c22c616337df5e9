// Any text as a number: refused, or a value within its bounds whose text means the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "clinical/decimal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral::clinical;
    const auto value = parse_decimal({reinterpret_cast<const char*>(data), size});
    if (!value)
        return 0;
    const auto text = to_string(*value);
    const auto again = parse_decimal(text);
    if (!is_valid(*value) || !again || to_string(*again) != text)
        std::abort();
    return 0;
}
