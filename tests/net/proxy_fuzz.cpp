#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "net/proxy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = mitral::base::as_text({data, size});
    (void)mitral::net::parse_connect_answer(text);
    (void)mitral::net::parse_endpoint(std::string(text), 443);
    return 0;
}
