// Topics, property bags and usernames as a client may send them. A bag that was read must survive
// being written in our encoding.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "azure/dps.hpp"
#include "azure/topics.hpp"
#include "base/bytes.hpp"

using namespace mitral;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = base::as_text({data, size});
    if (const auto bag = azure::decode_bag(text)) {
        const auto again = azure::decode_bag(azure::encode_bag(*bag));
        if (!again || *again != *bag)
            std::abort();
    }
    (void)azure::parse_telemetry_topic(text);
    (void)azure::parse_hub_username(text);
    (void)azure::parse_dps_username(text);
    (void)azure::parse_dps_topic(text);
    return 0;
}
