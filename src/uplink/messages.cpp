#include "uplink/messages.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "azure/topics.hpp"
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

void append_decimal_digits(std::uint64_t number, std::string& out) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_hexadecimal_digits(std::uint64_t number, std::string& out) {
    std::array<char, 16> digits;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, number >>= 4U)
        *digit = "0123456789abcdef"[number & 15U];
    out.append(digits.data(), digits.size());
}

// Writer, lane, stream, sequence: the same whenever the message is sent again.
std::string message_id(const FeedName& feed, std::uint64_t stream, std::uint64_t sequence,
                       bool wave) {
    std::string id;
    id.reserve(64);
    id.append(feed.writer).append("-").append(spool::to_string(feed.lane)).append("-");
    append_hexadecimal_digits(stream, id);
    id.push_back('-');
    append_decimal_digits(sequence, id);
    if (wave)
        id.append("-w");
    return id;
}

struct Content {
    std::string_view type;
    std::string_view encoding;  // may be empty
    std::string_view schema;
};

std::string common_properties(const std::string& id, const Content& content, spool::Lane lane) {
    std::string bag;
    bag.reserve(256);
    azure::append_property("$.mid", id, bag);
    azure::append_property("$.ct", content.type, bag);
    if (!content.encoding.empty())
        azure::append_property("$.ce", content.encoding, bag);
    azure::append_property("schema", content.schema, bag);
    azure::append_property("lane", spool::to_string(lane), bag);
    return bag;
}

}  // namespace

Outgoing make_data_message(const FeedName& feed, std::uint64_t stream,
                           clinical::CloudMessage&& message) {
    const bool wave = message.schema == wave_schema;
    Outgoing out{common_properties(message_id(feed, stream, message.first_sequence, wave),
                                   {message.content_type, message.content_encoding, message.schema},
                                   feed.lane),
                 std::move(message.body)};
    azure::append_property("source", message.source, out.bag);
    return out;
}

Outgoing make_gap_message(const FeedName& feed, spool::RecordId at, const GapFacts& facts) {
    std::string body =
        fmt::format(R"({{"schema":"{}","lane":"{}","stream":"{:016x}","first":{},"last":{})",
                    gap_schema, spool::to_string(facts.lane), at.stream, facts.first, facts.last);
    if (is_a_date(facts.first_written) && is_a_date(facts.last_written))
        body.append(fmt::format(R"(,"first_written":"{}","last_written":"{}")",
                                base::to_iso8601(*facts.first_written),
                                base::to_iso8601(*facts.last_written)));
    body.append(fmt::format(R"(,"reason":"{}"}})", spool::to_string(facts.reason)));
    return {common_properties(message_id(feed, at.stream, at.sequence, false),
                              {"application/json", "utf-8", gap_schema}, feed.lane),
            base::to_bytes(body)};
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
    gaps_.push_back({{last_.stream, sequence},
                     {feed_.lane, sequence, sequence, std::nullopt, std::nullopt,
                      spool::GapReason::unreadable}});
}

// The whole batch at once; if that fails, one by one, so that only the culprit is lost.
void BatchBuilder::encode(Batch& batch) {
    if (entries_.empty())
        return;
    if (auto messages = encode_bounded(entries_)) {
        for (auto& message : *messages)
            batch.messages.push_back(make_data_message(feed_, last_.stream, std::move(message)));
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
            batch.messages.push_back(make_data_message(feed_, last_.stream, std::move(message)));
    }
}

BatchBuilder::Batch BatchBuilder::finish() {
    Batch batch;
    encode(batch);
    for (const GapAt& gap : gaps_)
        batch.messages.push_back(make_gap_message(feed_, gap.id, gap.facts));
    batch.last_sequence = last_.sequence;
    batch.records = records_;
    batch.gaps = static_cast<std::uint32_t>(gaps_.size());
    batch.unreadable = unreadable_;
    batch.why_unreadable = std::move(why_unreadable_);
    *this = BatchBuilder(std::move(feed_));
    return batch;
}

}  // namespace mitral::uplink
