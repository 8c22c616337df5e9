#include "clinical/batch.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "clinical/errors.hpp"
#include "clinical/record.hpp"
#include "clinical/vitals_table.hpp"
#include "clinical/wave_blocks.hpp"

namespace mitral::clinical {
namespace {

using base::fail;
using base::Result;

// The messages of one source and one schema: a new one begins when the open one is full.
template <typename Builder>
class Stream {
  public:
    void add(const BatchEntry& entry, std::vector<CloudMessage>& done) {
        const auto& reading = entry.reading;
        if (builder_ && builder_->add(reading, max_body_size))
            return;
        finish(done);
        first_sequence_ = entry.sequence;
        source_ = reading.source;
        builder_.emplace(source_, reading.received);
        // An empty message takes any checked reading: max_record_size sees to it.
        (void)builder_->add(reading, max_body_size);
    }
    void finish(std::vector<CloudMessage>& done) {
        if (!builder_)
            return;
        done.push_back(describe(*builder_));
        builder_.reset();
    }

  private:
    CloudMessage describe(const VitalsTable& table) const {
        return {"mitral.vitals/1", "application/json", "utf-8",
                source_,           first_sequence_,    table.finish()};
    }
    CloudMessage describe(const WaveBlocks& blocks) const {
        return {"mitral.wave/1", "application/cbor", "", source_, first_sequence_, blocks.finish()};
    }

    std::optional<Builder> builder_;
    std::string source_;
    std::uint64_t first_sequence_ = 0;
};

struct SourceStreams {
    std::string_view source;
    Stream<VitalsTable> vitals;
    Stream<WaveBlocks> waves;
};

// A gateway has tens of sources, and a run of entries comes from one: the last hit is tried first.
SourceStreams& streams_of(std::string_view source, std::vector<SourceStreams>& all) {
    if (!all.empty() && all.back().source == source)
        return all.back();
    const auto found = std::ranges::find(all, source, &SourceStreams::source);
    if (found != all.end())
        return *found;
    return all.emplace_back(SourceStreams{source, {}, {}});
}

}  // namespace

Result<std::vector<CloudMessage>> encode_batch(const std::vector<BatchEntry>& entries) {
    if (entries.empty())
        return fail(ClinicalError::empty_batch, "a batch without entries");
    std::vector<CloudMessage> messages;
    std::vector<SourceStreams> all;
    for (const auto& entry : entries) {
        MITRAL_CHECK(check(entry.reading));
        auto& streams = streams_of(entry.reading.source, all);
        if (!entry.reading.observations.empty())
            streams.vitals.add(entry, messages);
        if (!entry.reading.waveforms.empty())
            streams.waves.add(entry, messages);
    }
    for (auto& streams : all) {
        streams.vitals.finish(messages);
        streams.waves.finish(messages);
    }
    return messages;
}

}  // namespace mitral::clinical
