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

// The messages of one source, subject and schema: a new one begins when the open one is full.
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
        builder_.emplace(source_, reading.subject, reading.received);
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

struct SubjectStreams {
    std::string_view source;
    std::string_view subject;
    Stream<VitalsTable> vitals;
    Stream<WaveBlocks> waves;
};

// A gateway has tens of sources, and a run of entries comes from one: the last one is tried first.
SubjectStreams& streams_of(const Reading& reading, std::vector<SubjectStreams>& all) {
    const auto of_reading = [&](const SubjectStreams& streams) {
        return streams.source == reading.source && streams.subject == reading.subject;
    };
    if (!all.empty() && of_reading(all.back()))
        return all.back();
    const auto found = std::ranges::find_if(all, of_reading);
    if (found != all.end())
        return *found;
    return all.emplace_back(SubjectStreams{reading.source, reading.subject, {}, {}});
}

}  // namespace

Result<std::vector<CloudMessage>> encode_batch(const std::vector<BatchEntry>& entries) {
    if (entries.empty())
        return fail(ClinicalError::empty_batch, "a batch without entries");
    std::vector<CloudMessage> messages;
    std::vector<SubjectStreams> all;
    for (const auto& entry : entries) {
        MITRAL_CHECK(check(entry.reading));
        auto& streams = streams_of(entry.reading, all);
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
