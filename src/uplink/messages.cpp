#include "uplink/messages.hpp"

#include <fmt/format.h>

#include "clinical/record.hpp"
#include "uplink/error.hpp"

namespace mitral::uplink {
namespace {

constexpr std::string_view wave_schema = "mitral.wave/1";
constexpr std::string_view gap_schema = "mitral.gap/1";

// A gap record is hostile input like any other: its times may be beyond what ISO 8601 can write.
bool is_a_date(const std::optional<base::WallTime>& time) {
    return time && time->ms > 0 && *time <= clinical::latest_time;
}

// clinical keeps this bound; were it ever broken, the hub would drop the connection for it.
base::Result<std::vector<clinical::CloudMessage>> encode_bounded(
    const std::vector<clinical::BatchEntry>& entries) {
    MITRAL_TRY(auto messages, clinical::encode_batch(entries));
    for (const auto& message : messages) {
        if (message.body.size() > clinical::max_body_size)
            return base::fail(UplinkError::too_large, "encoded batch");
    }
    return messages;
}

}  // namespace

Outgoing BatchBuilder::data_message(clinical::CloudMessage&& message) {
    const bool wave = message.schema == wave_schema;
    return {properties_.bag(
                {last_.stream, message.first_sequence},
                {message.content_type, message.content_encoding, message.schema, wave ? "-w" : ""},
                message.source),
            std::move(message.body)};
}

Outgoing BatchBuilder::gap_message(const GapAt& gap) {
    const auto& facts = gap.facts;
    std::string body = fmt::format(
        R"({{"schema":"{}","lane":"{}","stream":"{:016x}","first":{},"last":{})", gap_schema,
        spool::to_string(facts.lane), gap.id.stream, facts.first, facts.last);
    if (is_a_date(facts.first_written) && is_a_date(facts.last_written))
        body.append(fmt::format(R"(,"first_written":"{}","last_written":"{}")",
                                base::to_iso8601(*facts.first_written),
                                base::to_iso8601(*facts.last_written)));
    body.append(fmt::format(R"(,"reason":"{}"}})", spool::to_string(facts.reason)));
    std::string bag = properties_.bag(gap.id, {"application/json", "utf-8", gap_schema, ""}, {});
    // Another time more, or less, may be given up from the same record on: no redelivery.
    if (gap.id.sequence == facts.first)
        bag.insert(bag.find('&'), fmt::format("-{}", facts.last));
    return {std::move(bag), base::to_bytes(body)};
}

void BatchBuilder::add(const spool::Record& record) {
    last_ = record.id;
    ++records_;
    bytes_ += record.payload.size();
    if (record.kind == spool::RecordKind::boundary)
        return;
    if (record.kind == spool::RecordKind::gap) {
        const auto gap = spool::decode_gap(record.payload);
        if (!gap)
            return unreadable(record.id.sequence, gap.error());
        gaps_.push_back({record.id,
                         {gap->lane, gap->first_sequence, gap->last_sequence, gap->first_written,
                          gap->last_written, gap->reason}});
        return;
    }
    auto reading = clinical::decode_record(record.payload);
    if (!reading)
        return unreadable(record.id.sequence, reading.error());
    entries_.push_back({record.id.sequence, *std::move(reading)});
}

void BatchBuilder::add(std::uint64_t stream, const spool::Gap& damage) {
    last_ = {stream, damage.last_sequence};
    ++records_;
    gaps_.push_back({{stream, damage.first_sequence},
                     {damage.lane, damage.first_sequence, damage.last_sequence,
                      damage.first_written, damage.last_written, damage.reason}});
}

void BatchBuilder::unreadable(std::uint64_t sequence, const base::Error& why) {
    ++unreadable_;
    if (why_unreadable_.empty())
        why_unreadable_ = why.message();
    if (!gaps_.empty() && gaps_.back().facts.last + 1 == sequence &&
        gaps_.back().id.sequence == gaps_.back().facts.first) {  // extends the run before it
        gaps_.back().facts.last = sequence;
        return;
    }
    gaps_.push_back(
        {{last_.stream, sequence},
         {lane_, sequence, sequence, std::nullopt, std::nullopt, spool::GapReason::unreadable}});
}

// The whole batch at once; if that fails, one by one, so that only the culprit is lost.
void BatchBuilder::encode(Batch& batch) {
    if (entries_.empty())
        return;
    if (auto messages = encode_bounded(entries_)) {
        for (auto& message : *messages)
            batch.messages.push_back(data_message(std::move(message)));
        return;
    }
    for (auto& entry : entries_) {
        const std::uint64_t sequence = entry.sequence;
        std::vector<clinical::BatchEntry> alone;
        alone.push_back(std::move(entry));
        auto messages = encode_bounded(alone);
        if (!messages) {
            unreadable(sequence, messages.error());
            continue;
        }
        for (auto& message : *messages)
            batch.messages.push_back(data_message(std::move(message)));
    }
}

BatchBuilder::Batch BatchBuilder::finish() {
    Batch batch;
    encode(batch);
    for (const GapAt& gap : gaps_)
        batch.messages.push_back(gap_message(gap));
    batch.last_sequence = last_.sequence;
    batch.records = records_;
    batch.gaps = static_cast<std::uint32_t>(gaps_.size());
    batch.unreadable = unreadable_;
    batch.why_unreadable = std::move(why_unreadable_);
    clear();
    return batch;
}

void BatchBuilder::clear() {
    entries_.clear();
    gaps_.clear();
    bytes_ = 0;
    records_ = unreadable_ = 0;
    why_unreadable_.clear();
    last_ = {};
}

}  // namespace mitral::uplink
