#include <cstdint>
#include <cstdlib>

#include "base/bytes.hpp"
#include "cloud/hub/methods.hpp"

// What is read as an answer's topic can be written again and read the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using mitral::cloud::hub::parse_method_response;
    const auto topic = parse_method_response(mitral::base::as_text({data, size}));
    if (!topic)
        return 0;
    const auto again =
        parse_method_response("$iothub/methods/res/" + std::to_string(topic->status) +
                              "/?$rid=" + std::to_string(topic->request));
    if (!again || again->status != topic->status || again->request != topic->request)
        std::abort();
    return 0;
}
