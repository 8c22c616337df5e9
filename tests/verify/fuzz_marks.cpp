// A file of marks that somebody wrote to.
#include <algorithm>

#include "verify/marks.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    const auto marks = verify::decode_marks({data, size});
    if (marks) {
        const auto again = encode(*marks);
        if (!std::equal(again.begin(), again.end(), data, data + size))
            __builtin_trap();
    }
    return 0;
}
