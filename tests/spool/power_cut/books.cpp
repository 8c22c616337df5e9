#include "spool/power_cut/books.hpp"

#include "spool/gap.hpp"

namespace mitral::spool::test {
namespace {

class Audit {
  public:
    Audit(const LaneBooks& books, const Found& found) : books_(books), found_(found) {}

    std::vector<std::string> of(bool may_drop, const std::set<std::string>& sent) {
        if (!found_.error.empty())
            say("the reader stops: " + found_.error, found_.position);
        for (const auto& record : found_.records)
            take(record, may_drop, sent);
        check_position();
        check_committed();
        check_shown();
        check_account();
        check_jumps();
        return std::move(broken_);
    }

  private:
    void say(const std::string& what, std::uint64_t sequence) {
        broken_.push_back(what + ": " + std::to_string(sequence));
    }

    void take(const Record& record, bool may_drop, const std::set<std::string>& sent) {
        const auto number = record.id.sequence;
        if (!delivered_.insert({number, record}).second)
            say("number delivered twice", number);
        if (books_.stream && record.id.stream != *books_.stream)
            say("another stream", number);
        if (record.kind == RecordKind::data &&
            !sent.contains(std::string(base::as_text(record.payload))))
            say("delivered and never sent", number);
        if (record.kind != RecordKind::gap)
            return;
        const auto gap = decode_gap(record.payload);
        if (!may_drop || !gap || gap->last_sequence >= number)
            return say("a gap for nothing", number);
        for (auto lost = gap->first_sequence; lost <= gap->last_sequence; ++lost)
            gaps_.insert(lost);
    }

    void check_position() {
        if (found_.position > books_.hub_acknowledged)
            say("position beyond what the hub has", found_.position);
        if (found_.position < books_.position)
            say("position forgotten", books_.position);
    }

    void check_committed() {
        for (const auto& [number, payload] : books_.committed) {
            const auto found = delivered_.find(number);
            if (found != delivered_.end() && base::as_text(found->second.payload) != payload)
                say("committed record altered", number);
            if (found == delivered_.end() && !gaps_.contains(number) &&
                number > books_.hub_acknowledged)
                say("committed record lost", number);
        }
    }

    void check_shown() {
        for (const auto& [number, record] : books_.shown) {
            const auto found = delivered_.find(number);
            if (found == delivered_.end())
                continue;  // in the account below
            const auto& again = found->second;
            if (again.payload != record.payload || again.kind != record.kind ||
                again.id != record.id)
                say("number given to another record", number);
            if (again.ends_batch != record.ends_batch)
                say("batch ends elsewhere", number);
        }
        for (const auto number : books_.settled)
            if (gaps_.contains(number))
                say("told as lost, and the hub has it", number);
    }

    // What the hub acknowledged beyond a jump was never sent: it has to be told.
    void check_jumps() {
        for (const auto& [number, record] : books_.shown)
            if (const auto gap = decode_gap(record.payload); record.kind == RecordKind::gap && gap)
                for (auto lost = gap->first_sequence; lost <= gap->last_sequence; ++lost)
                    gaps_.insert(lost);
        for (std::uint64_t number = 1; number <= books_.hub_acknowledged; ++number)
            if (!books_.shown.contains(number) && !delivered_.contains(number) &&
                !gaps_.contains(number))
                say("jumped over and never told", number);
    }

    // Every number the hub has not acknowledged is delivered or told as gone, and not both.
    void check_account() {
        if (found_.last < books_.hub_acknowledged)
            say("numbers begin again", found_.last);
        if (!books_.shown.empty() && found_.last < books_.shown.rbegin()->first)
            say("numbers begin again behind what was shown", found_.last);
        for (auto number = books_.hub_acknowledged + 1; number <= found_.last; ++number) {
            if (!delivered_.contains(number) && !gaps_.contains(number))
                say("number unaccounted for", number);
            if (found_.in_one_go && delivered_.contains(number) && gaps_.contains(number))
                say("delivered and told as lost", number);
        }
        if (!delivered_.empty() && delivered_.rbegin()->first > found_.last)
            say("delivered and not committed", delivered_.rbegin()->first);
    }

    const LaneBooks& books_;
    const Found& found_;
    std::map<std::uint64_t, Record> delivered_;
    std::set<std::uint64_t> gaps_;
    std::vector<std::string> broken_;
};

}  // namespace

std::vector<std::string> broken_promises(Lane lane, const Books& books, const Found& found,
                                         const std::set<std::string>& sent) {
    auto broken = Audit(books.of(lane), found).of(books.may_drop, sent);
    for (auto& line : broken)
        line.insert(0, std::string(to_string(lane)) + ": ");
    return broken;
}

}  // namespace mitral::spool::test
