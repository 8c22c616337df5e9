// Any bytes as an adapter's conversation: nothing but checked readings reaches the spool, and every
// answer is one line of plain ASCII.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "clinical/record.hpp"
#include "intake/lines/session.hpp"
#include "spool/writer.hpp"

namespace {

using namespace mitral;

void require(bool condition) {
    if (!condition)
        std::abort();
}

// Looks at each record and forgets it.
class CheckingWriter final : public spool::Writer {
  public:
    base::Result<spool::RecordId> append(spool::Lane lane, base::ByteView payload) override {
        const auto reading = clinical::decode_record(payload);
        require(reading.has_value());
        require(reading->observations.empty() == (lane == spool::Lane::waves));
        return spool::RecordId{1, ++sequence_};
    }
    base::Status commit() override { return {}; }
    base::Status end_batches() override { return {}; }
    base::Status maintain() override { return {}; }
    std::optional<base::MonotonicTime> next_maintenance() const override { return std::nullopt; }
    spool::LaneUsage usage(spool::Lane) const override { return {}; }

  private:
    std::uint64_t sequence_ = 0;
};

void check_replies(std::string_view replies) {
    require(replies.empty() || replies.ends_with('\n'));
    require(
        std::ranges::all_of(replies, [](char c) { return c == '\n' || (c >= ' ' && c < 0x7F); }));
    while (!replies.empty()) {
        const auto line = replies.substr(0, replies.find('\n'));
        require(line.starts_with("ok ") || line.starts_with("no ") || line.starts_with("later "));
        require(line.size() < 256);
        replies.remove_prefix(line.size() + 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    CheckingWriter writer;
    intake::Counters counters;
    intake::ReadingStore store(writer, counters);
    intake::LineParser parser;
    intake::SourceOwners owners;
    intake::Session session(store, owners, parser, counters);
    // The first byte says in which pieces the rest arrives, and whether a header is given.
    const std::size_t piece = 1 + (data[0] & 0x7FU) * 8;
    std::string input;
    if ((data[0] & 0x80) == 0)
        input = R"({"schema":"mitral.lines/1","source":"bed-1"})"
                "\n";
    input.append(reinterpret_cast<const char*>(data + 1), size - 1);
    for (std::string_view rest = input; !rest.empty();) {
        const auto count = std::min(piece, rest.size());
        rest.copy(reinterpret_cast<char*>(session.space(count).data()), count);
        session.received(count, {{1000}, base::ClockState::synchronised});
        session.settle(store.commit().has_value());
        rest.remove_prefix(count);
    }
    session.end_of_input();
    session.settle(store.commit().has_value());
    check_replies(session.output());
    return 0;
}
