// Tokens as a client may send them. Nothing the fuzzer invents may verify under a key it does not
// know.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "azure/sas.hpp"
#include "base/bytes.hpp"

using namespace mitral;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::array<std::uint8_t, 32> key{7};
    const auto text = base::as_text({data, size});
    const auto token = azure::parse_token(text);
    if (!token)
        return 0;
    const azure::TokenCheck check{token->resource, 0, base::Seconds(0)};
    if (azure::verify_token(*token, {key}, check))
        std::abort();
    (void)azure::covers(token->resource, "hub.example/devices/dev-01");
    return 0;
}
