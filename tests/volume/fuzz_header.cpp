// What stands on a disk that somebody had in hands.
#include <algorithm>

#include "volume/header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    base::Bytes bytes(volume::header_size);
    std::copy_n(data, std::min(size, bytes.size()), bytes.begin());
    const auto header = volume::read_header(bytes);
    if (header.wrapped.empty() == (header.state == volume::HeaderState::whole))
        __builtin_trap();
    if (size > 0 && size <= 256) {
        const auto again = volume::read_header(volume::write_header({data, size}));
        if (!std::ranges::equal(again.wrapped, base::ByteView(data, size)))
            __builtin_trap();
    }
    return 0;
}
