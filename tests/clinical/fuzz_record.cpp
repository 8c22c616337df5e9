// Any bytes as a spool record: refused, or a reading that keeps every bound and goes back to the
// same bytes; and a reading that was accepted always becomes messages within their bound, in which
// a reader that shares no code with the encoder finds every sample.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "clinical/batch.hpp"
#include "clinical/record.hpp"
#include "clinical/wave_reader.hpp"

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
    if (data[0] == 1)  // what the first version said is said alike in the second
        again[0] = 1;
    require(std::equal(again.begin(), again.end(), data, data + size));
    const auto messages = clinical::encode_batch({{1, *reading}, {2, *reading}});
    require(messages.has_value() && !messages->empty());
    std::vector<clinical::test::WaveBlock> arrived;
    for (const auto& message : *messages) {
        require(message.body.size() <= clinical::max_body_size);
        if (message.schema != "mitral.wave/1")
            continue;
        const auto wave = clinical::test::read_wave_message(message.body);
        require(wave && wave->source == reading->source && wave->subject == reading->subject);
        arrived.insert(arrived.end(), wave->blocks.begin(), wave->blocks.end());
    }
    auto expected = clinical::test::blocks_of(*reading);
    const auto once = expected;
    expected.insert(expected.end(), once.begin(), once.end());
    require(arrived == expected);
    return 0;
}
