#include "intake/lines/session.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "base/fail_point.hpp"

namespace mitral::intake {
namespace {

bool is_blank(std::string_view line) noexcept {
    return line.empty() || line == "\r";
}

}  // namespace

Session::Session(ReadingStore& store, SourceOwners& owners, LineParser& parser, Counters& counters,
                 uid_t user)
    : store_(store),
      owners_(owners),
      parser_(parser),
      counters_(counters),
      user_(user),
      buffer_(max_wave_line, LineParser::padding) {}

void Session::received(std::size_t count, Stamp stamp) {
    buffer_.filled(count);
    reading_.received = stamp.received;
    reading_.clock = stamp.clock;
    for (auto line = buffer_.next(); line.kind != LineBuffer::Line::Kind::none && !finished_;
         line = buffer_.next())
        take_line(line);
}

void Session::take_line(const LineBuffer::Line& line) {
    if (!has_header_)
        take_header(line);
    else if (line.kind == LineBuffer::Line::Kind::line && is_blank(line.text))
        end_batch();
    else
        take_reading(line);
}

void Session::take_header(const LineBuffer::Line& line) {
    auto header = line.kind == LineBuffer::Line::Kind::line
                      ? parser_.header(line.text)
                      : std::expected<Header, Refusal>(
                            std::unexpected(Refusal{"the first line is too long"}));
    if (!header)
        return refuse_header(std::move(header.error().reason));
    reading_.source = std::move(header->source);
    if (!owners_.claim(reading_.source, user_))
        return refuse_header("source belongs to another user");
    acknowledge_ = header->acknowledge;
    has_header_ = true;
}

void Session::refuse_header(std::string reason) {
    first_refusal_ = std::move(reason);
    reply("no", 0, first_refusal_);
    ++counters_.rejected;
    finished_ = true;
}

void Session::take_reading(const LineBuffer::Line& line) {
    ++lines_;
    ++counters_.lines;
    if (line.kind == LineBuffer::Line::Kind::too_long)
        return refuse("line longer than 262144 bytes");
    if (auto accepted = parser_.reading(line.text, reading_); !accepted)
        return refuse(std::move(accepted.error().reason));
    if (line.text.size() > max_line && reading_.waveforms.empty())
        return refuse("line without waves longer than 65536 bytes");
    store_reading();
}

void Session::store_reading() {
    MITRAL_FAIL_POINT("intake.line-parsed");
    switch (store_.put(reading_)) {
        case ReadingStore::Outcome::stored:
        case ReadingStore::Outcome::repeated:
            verdicts_.push_back({Verdict::Kind::in_group, lines_, {}});
            return;
        case ReadingStore::Outcome::duplicate:
            return;  // the next `ok` covers it
        case ReadingStore::Outcome::id_taken:
            return refuse("id already used for other content");
        case ReadingStore::Outcome::too_large:
            return refuse("more samples than one message holds: send fewer per line");
        case ReadingStore::Outcome::postponed:
            ++counters_.postponed;
            verdicts_.push_back({Verdict::Kind::postponed, lines_, store_.trouble()});
            return;
    }
}

void Session::end_batch() {
    if (acknowledge_ != Acknowledge::batch)
        return;
    empty_batch_ = empty_batch_ || batch_end_ == lines_;
    batch_end_ = lines_;
}

void Session::end_of_input() {
    if (buffer_.mid_line() && has_header_ && !finished_) {
        ++lines_;
        ++counters_.lines;
        ++counters_.postponed;
        verdicts_.push_back({Verdict::Kind::postponed, lines_, "the line has no end"});
    }
    batch_end_ = lines_;
    finished_ = true;
}

void Session::refuse(std::string reason) {
    ++counters_.refused;
    if (refused_++ == 0)
        first_refusal_ = reason;
    verdicts_.push_back({Verdict::Kind::refused, lines_, std::move(reason)});
}

std::uint64_t Session::due_answer() const noexcept {
    return acknowledge_ == Acknowledge::batch ? batch_end_ : lines_;
}

// Every `no` and `later` comes before the `ok` that covers its line.
void Session::settle(bool committed) {
    const std::uint64_t due = due_answer();
    bool answered = due == answered_ && !empty_batch_;
    const auto answer = [&] {
        if (!std::exchange(answered, true))
            reply("ok", due, {});
    };
    for (const auto& verdict : verdicts_) {
        if (verdict.line > due)
            answer();
        switch (verdict.kind) {
            case Verdict::Kind::refused:
                reply("no", verdict.line, verdict.reason);
                break;
            case Verdict::Kind::postponed:
                reply("later", verdict.line, verdict.reason);
                break;
            case Verdict::Kind::in_group:
                if (!committed) {
                    ++counters_.postponed;
                    reply("later", verdict.line, store_.trouble());
                }
                break;
        }
    }
    answer();
    verdicts_.clear();
    empty_batch_ = false;
    answered_ = due;
}

void Session::reply(std::string_view word, std::uint64_t line, std::string_view reason) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), line).ptr;
    output_.append(word).push_back(' ');
    output_.append(digits.data(), end);
    if (!reason.empty())
        output_.append(" ").append(reason);
    output_.push_back('\n');
}

}  // namespace mitral::intake
