#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "net/trust.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)mitral::net::open_trust_bundle(mitral::base::as_text({data, size}), {});
    return 0;
}
