#include "intake/hl7/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "intake/hl7/readable_text.hpp"

namespace mitral::intake::hl7 {
namespace {

// Answers are given as if to this where a frame holds no header to answer to.
constexpr std::string_view bare_header = "MSH|^~\\&";

// An answer is never answered (HL7 v2.6 §2.9): two peers that did would never stop.
bool is_answer(const Message& message) noexcept {
    const auto type = message.header().field(9).component(1).raw();
    return type == "ACK" || type == "MCF" || type == "QCK";
}

// The first, the tenth, the hundredth: enough to see what is wrong and how often.
bool is_worth_telling(std::uint64_t count) noexcept {
    while (count % 10 == 0)
        count /= 10;
    return count == 1;
}

// Sixteen messages a second of 4 MB each are a flood as well.
constexpr std::size_t messages_worth(std::size_t bytes) noexcept {
    return 1 + bytes / Session::bytes_of_a_message;
}

}  // namespace

Session::Session(Destination destination, Monitor& monitor, std::size_t longest_frame)
    : destination_(destination),
      monitor_(monitor),
      longest_frame_(longest_frame),
      decoder_(longest_frame) {}

void Session::filled(std::size_t count, Arrival arrival) {
    arrival_ = arrival;
    decoder_.filled(count);
}

std::optional<std::size_t> Session::take_frame() {
    while (!finished_) {
        const auto event = decoder_.next();
        count_junk(event.kind);
        switch (event.kind) {
            case MllpDecoder::Kind::none:
                return take_junk();
            case MllpDecoder::Kind::frame:
                ++frames_;
                return std::max(take_messages(event.text), messages_worth(event.text.size()));
            case MllpDecoder::Kind::too_long: {
                ++frames_;
                Waiting waiting{std::string(header_of(event.text)), Verdict::accepted, {}, false};
                refuse(waiting, "the message is longer than this gateway takes");
                waiting_.push_back(std::move(waiting));
                return messages_worth(longest_frame_);
            }
            case MllpDecoder::Kind::unfinished:
                ++destination_.counters.unfinished;
                return 1;  // its sender has given it up and will send it again
        }
    }
    return std::nullopt;
}

// What a frame that is too long costs is counted with it.
void Session::count_junk(MllpDecoder::Kind event) {
    const auto junk = decoder_.junk() - std::exchange(junk_counted_, decoder_.junk());
    destination_.counters.junk_bytes += junk;
    if (event != MllpDecoder::Kind::too_long)
        junk_unpaid_ += junk;
}

std::optional<std::size_t> Session::take_junk() {
    const auto messages = junk_unpaid_ / bytes_of_a_message;
    junk_unpaid_ %= bytes_of_a_message;
    return messages > 0 ? std::optional<std::size_t>(messages) : std::nullopt;
}

void Session::end_of_input() {
    if (decoder_.mid_frame())
        ++destination_.counters.unfinished;
    finished_ = true;
}

std::size_t Session::take_messages(std::string_view frame) {
    const auto messages = split_batch(frame);
    if (messages.empty()) {
        Waiting waiting{std::string(bare_header), Verdict::accepted, {}, false};
        refuse(waiting, "no MSH segment with its delimiters");
        waiting_.push_back(std::move(waiting));
        return 1;
    }
    std::size_t taken = 0;
    for (const auto message : messages) {
        if (taken == max_messages_in_frame) {
            Waiting waiting{std::string(header_of(message)), Verdict::accepted, {}, false};
            refuse(waiting, "more than 1024 messages in one frame; this and later ones are left");
            waiting_.push_back(std::move(waiting));
            break;
        }
        ++taken;
        take_message(message);
    }
    // Four times as long as the message, and most connections never need it again.
    if (converted_.capacity() > MllpDecoder::resting_bytes)
        std::string().swap(converted_);
    return taken;
}

void Session::take_message(std::string_view text) {
    ++destination_.counters.messages;
    ++monitor_.messages;
    Waiting waiting{
        std::string(header_of(text).substr(0, max_header)), Verdict::accepted, {}, false};
    const auto readable = readable_text(text, converted_);
    if (!readable) {
        refuse(waiting, readable.error().reason);
        waiting_.push_back(std::move(waiting));
        return;
    }
    waiting.header = header_of(readable->text).substr(0, max_header);
    if (!readable->decoded)
        ++monitor_.not_understood.character_sets;
    const auto message = Message::parse(readable->text);
    if (!message) {
        refuse(waiting, message.error().reason);
    } else if (message->header().raw().size() > max_header) {
        refuse(waiting, "segment MSH is longer than 4096 bytes");
    } else if (is_answer(*message)) {
        return;
    } else if (auto readings = destination_.interpreter.read(*message, monitor_.sender, arrival_,
                                                             monitor_.not_understood);
               !readings) {
        refuse(waiting, readings.error().reason);
    } else {
        note_message(*message);
        take_readings(*readings, waiting);
    }
    waiting_.push_back(std::move(waiting));
}

void Session::note_message(const Message& message) {
    monitor_.last_message = arrival_.received;
    if (const auto sent = sent_at(message, monitor_.sender.zone, arrival_.received))
        monitor_.clock_offset_ms = sent->ms - arrival_.received.ms;
}

// One that cannot be stored ends it: the message comes again as a whole, and what is in the store
// already is recognised.
void Session::take_readings(std::vector<clinical::Reading>& readings, Waiting& waiting) {
    for (auto& reading : readings) {
        switch (destination_.store.put(reading)) {
            case ReadingStore::Outcome::stored:
            case ReadingStore::Outcome::repeated:
                waiting.in_group = true;
                break;
            case ReadingStore::Outcome::duplicate:
                break;
            case ReadingStore::Outcome::id_taken:
                return refuse(waiting, "the control id was used for other content before");
            case ReadingStore::Outcome::too_large:
                return refuse(waiting, "more samples than one message holds: send shorter ones");
            case ReadingStore::Outcome::postponed:
                return postpone(waiting);
        }
    }
}

void Session::postpone(Waiting& waiting) {
    waiting.verdict = Verdict::later;
    waiting.reason = destination_.store.trouble();
    waiting.in_group = false;
    ++destination_.counters.postponed;
}

void Session::refuse(Waiting& waiting, std::string reason) {
    waiting.verdict = Verdict::never;
    waiting.reason = std::move(reason);
    waiting.in_group = false;
    ++destination_.counters.refused;
    if (is_worth_telling(++monitor_.refused))
        base::log(base::Severity::warning, "message-refused",
                  {{"source", monitor_.sender.source},
                   {"reason", waiting.reason},
                   {"refused", monitor_.refused}});
}

void Session::settle(bool committed, base::WallTime now) {
    for (auto& waiting : waiting_) {
        if (waiting.in_group && !committed)
            postpone(waiting);
        answer(waiting, now);
    }
    waiting_.clear();
}

void Session::answer(const Waiting& waiting, base::WallTime now) {
    const auto delimiters = read_delimiters(waiting.header);
    const auto header = delimiters ? std::string_view(waiting.header) : bare_header;
    const auto used = delimiters.value_or(Delimiters{});
    const auto own_id = fmt::format("{:x}.{:x}", now.ms, ++answers_);
    if (const auto frame =
            acknowledge(Segment(header, used), waiting.verdict, waiting.reason, now, own_id))
        output_.append(*frame);
}

}  // namespace mitral::intake::hl7
