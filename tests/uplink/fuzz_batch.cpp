// Records as a hostile spool may hand them out: whatever they hold, a batch accounts for every one
// of them, no message is larger than the hub takes, and every sample of a sound record is in one.
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "azure/topics.hpp"
#include "clinical/batch.hpp"
#include "clinical/record.hpp"
#include "clinical/wave_reader.hpp"
#include "uplink/messages.hpp"
#include "uplink/mqtt_encode.hpp"

namespace {

using namespace mitral;

// Of each source and subject, in order.
using Waves = std::map<std::pair<std::string, std::string>, std::vector<clinical::test::WaveBlock>>;

void expect_waves(spool::RecordKind kind, base::ByteView payload, Waves& expected) {
    if (kind == spool::RecordKind::boundary || kind == spool::RecordKind::gap)
        return;
    const auto reading = clinical::decode_record(payload);
    if (!reading || reading->waveforms.empty())
        return;
    auto& blocks = expected[{reading->source, reading->subject}];
    for (auto& block : clinical::test::blocks_of(*reading))
        blocks.push_back(std::move(block));
}

bool is_wave(const uplink::Outgoing& message) {
    const auto bag = azure::decode_bag(message.bag);
    if (!bag)
        std::abort();
    const auto* schema = azure::find_property(*bag, "schema");
    return schema != nullptr && schema->value == "mitral.wave/1";
}

void collect_waves(const uplink::Outgoing& message, Waves& arrived) {
    if (!is_wave(message))
        return;
    const auto wave = clinical::test::read_wave_message(message.body);
    if (!wave)
        std::abort();
    auto& blocks = arrived[{wave->source, wave->subject}];
    blocks.insert(blocks.end(), wave->blocks.begin(), wave->blocks.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    uplink::BatchBuilder builder({"lines", spool::Lane::vitals});
    base::ByteReader input({data, size});
    std::uint64_t sequence = 0;
    Waves expected;
    while (const auto kind = input.u8()) {
        auto payload = input.block16();
        if (!payload)
            payload = input.take(input.remaining());
        const auto record_kind = static_cast<spool::RecordKind>(*kind % 4);
        expect_waves(record_kind, *payload, expected);
        builder.add(
            {{7, ++sequence}, record_kind, false, base::Bytes(payload->begin(), payload->end())});
    }
    if (builder.empty())
        return 0;
    const auto batch = builder.finish();
    if (batch.records != sequence || batch.last_sequence != sequence || !builder.empty())
        std::abort();
    Waves arrived;
    for (const auto& message : batch.messages) {
        collect_waves(message, arrived);
        const auto head = azure::telemetry_topic_head("device", {});
        base::Bytes out;
        if (!head || !uplink::append_publish(out, {*head, message.bag}, 1, message.body))
            std::abort();
    }
    if (arrived != expected)
        std::abort();
    return 0;
}
