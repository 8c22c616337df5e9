// A writer and an uplink at work in a directory that is recorded, and the journal of what they
// promised meanwhile.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "spool/power_cut/books.hpp"
#include "spool/power_cut/recorder.hpp"
#include "spool/reader.hpp"
#include "spool/support.hpp"
#include "spool/writer.hpp"

namespace mitral::spool::test {

// Where things lie below a root, and with which settings.
[[nodiscard]] WriterOptions options_below(const std::string& root);

class Scene {
  public:
    explicit Scene(std::string root);

    // What follows is recorded; what was before is on the disk.
    void record();
    Recorder& recorder() { return *recorder_; }
    // Ends both processes and the recording.
    [[nodiscard]] Recording finish();
    [[nodiscard]] const Journal& journal() const { return journal_; }
    [[nodiscard]] const std::set<std::string>& sent() const { return sent_; }

    // Steps. Without a writer (it was killed, or could not open) they do nothing.
    void open();
    void close() { writer_.reset(); }  // as kill -9 does: nothing is written
    void append(Lane lane, std::size_t size);
    void commit();
    void put(Lane lane, std::size_t size) {
        append(lane, size);
        commit();
    }
    void fill_to_the_bound(Lane lane, std::size_t size);  // the next one does not fit
    void end_batches();
    void maintain();
    void wait(base::Milliseconds time) { clock.advance(time); }
    void restart_uplink();
    void read(Lane lane);
    void acknowledge(Lane lane, std::uint64_t sequence);
    void acknowledge_all(Lane lane);
    void persist(Lane lane);
    // The negative control: promises before commit() has returned.
    void promise_too_early() { hasty_ = true; }
    void may_drop();

    FakeKeys keys;
    base::ManualClock clock{base::WallTime{1'767'225'600'000}};
    WriterOptions options;

  private:
    struct Pending {
        Lane lane;
        std::uint64_t sequence;
        std::uint64_t stream;
        std::string payload;
    };
    void note(Journal::Entry entry);
    void note_committed();
    std::unique_ptr<LaneReader>& reader(Lane lane);

    std::string root_;
    std::unique_ptr<Recorder> recorder_;
    Journal journal_;
    std::set<std::string> sent_;
    std::unique_ptr<Writer> writer_;
    std::array<std::unique_ptr<LaneReader>, lanes_by_priority.size()> readers_;
    std::vector<Pending> group_;
    bool hasty_ = false;
};

struct Scenario {
    std::string_view name;
    std::function<void(Scene&)> before;  // on a disk that then is whole
    std::function<void(Scene&)> run;
};
[[nodiscard]] const std::vector<Scenario>& scenarios();
// GoogleTest's, for the names in reports.
void PrintTo(const Scenario& scenario, std::ostream* out);

}  // namespace mitral::spool::test
