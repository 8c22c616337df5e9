// The assignment file as another process may have left it.
#include "base/bytes.hpp"
#include "uplink/assignment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    (void)uplink::parse_assignment(base::as_text({data, size}), 8883);
    return 0;
}
