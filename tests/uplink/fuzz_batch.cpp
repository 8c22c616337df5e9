// Records as a hostile spool may hand them out: whatever they hold, a batch accounts for every one
// of them, and no message is larger than the hub takes.
#include <cstdlib>

#include "clinical/batch.hpp"
#include "uplink/messages.hpp"
#include "uplink/mqtt_encode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral;
    uplink::BatchBuilder builder({"lines", spool::Lane::vitals});
    base::ByteReader input({data, size});
    std::uint64_t sequence = 0;
    while (const auto kind = input.u8()) {
        auto payload = input.block16();
        if (!payload)
            payload = input.take(input.remaining());
        builder.add({{7, ++sequence},
                     static_cast<spool::RecordKind>(*kind % 4),
                     false,
                     base::Bytes(payload->begin(), payload->end())});
    }
    if (builder.empty())
        return 0;
    const auto batch = builder.finish();
    if (batch.records != sequence || batch.last_sequence != sequence || !builder.empty())
        std::abort();
    for (const auto& message : batch.messages) {
        const auto topic = azure::telemetry_topic("device", {}, message.properties);
        base::Bytes out;
        if (!topic || !uplink::append_publish(out, *topic, 1, message.body))
            std::abort();
    }
    return 0;
}
