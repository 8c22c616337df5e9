// Any bytes as a spool record: refused, or a reading that keeps every bound and goes back to the
// same bytes; and a reading that was accepted always becomes messages within their bound.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "clinical/batch.hpp"
#include "clinical/record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    const auto require = [](bool condition) {
        if (!condition)
            std::abort();
    };
    const auto reading = clinical::decode_record({data, size});
    if (!reading)
        return 0;
    require(clinical::check(*reading).has_value());
    base::Bytes again;
    clinical::append_record(*reading, again);
    require(std::equal(again.begin(), again.end(), data, data + size));
    const auto messages = clinical::encode_batch({{1, *reading}, {2, *reading}});
    require(messages.has_value() && !messages->empty());
    for (const auto& message : *messages)
        require(message.body.size() <= clinical::max_body_size);
    return 0;
}
