// A ward, a spool with its bound, the feeds of the uplink and a hub with limits, on a virtual
// clock. What a ward writes in 72 h is scaled down; the ratio of its load to the hub's limit is
// not.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "spool/support.hpp"
#include "uplink/feeds.hpp"

namespace mitral::uplink::test {

struct OutageOptions {
    // 32 beds: a message of vitals and one of waves per bed and ten seconds.
    base::Milliseconds vitals_interval{312};
    base::Milliseconds waves_interval{312};
    std::uint32_t max_messages_per_s = 80;
    std::uint64_t far_behind = Feeds::far_behind(80);
    std::uint64_t max_bytes = 1'500'000;
    std::uint64_t segment_bytes = 64 * 1024;
};

// Every record is a batch, so that a message id names the record.
class OutageSimulation {
  public:
    OutageSimulation(const std::string& directory, OutageOptions options);

    void run(base::Milliseconds duration);  // in steps of 10 ms
    void hub_goes();                        // what is in flight is lost
    void hub_comes();
    void kill_uplink();  // and start it again; the hub stays as it is
    void raise_alert();
    void stop_writing();

    [[nodiscard]] base::Milliseconds now() const { return base::Milliseconds(elapsed_ms_); }
    [[nodiscard]] std::uint64_t queued();
    [[nodiscard]] std::vector<LaneStatus> status() { return feeds_->status(); }
    [[nodiscard]] spool::LaneUsage usage(spool::Lane lane) const { return writer_->usage(lane); }

    struct Sent {
        spool::Lane lane;
        std::uint64_t sequence = 0;
        bool gap = false;
        base::Milliseconds at{};
        bool lost = false;  // with the connection, before its PUBACK
    };
    [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }
    [[nodiscard]] std::size_t busiest_second() const { return busiest_second_; }
    [[nodiscard]] std::uint64_t units() const { return units_; }  // of 4 KB, as the hub counts
    [[nodiscard]] std::uint64_t most_bytes() const { return most_bytes_; }
    // From the commit of a record to its message, for records of `lane` written since `since`.
    [[nodiscard]] base::Milliseconds worst_latency(spool::Lane lane,
                                                   base::Milliseconds since) const;

    struct Account {
        std::uint64_t delivered = 0;
        std::uint64_t in_gaps = 0;
        std::uint64_t both = 0;     // delivered and named in a gap
        std::uint64_t missing = 0;  // neither
        std::uint64_t repeated = 0;
    };
    [[nodiscard]] Account account(spool::Lane lane) const;

  private:
    struct InFlight {
        std::uint32_t feed = 0;
        std::uint64_t batch = 0;
        std::int64_t due_ms = 0;
        std::size_t sent = 0;
    };
    void make_feeds();
    void write(spool::Lane lane);
    void write_what_is_due();
    void publish();
    void note(const Outgoing& message);
    void acknowledge();
    void lose_what_is_in_flight();

    OutageOptions options_;
    std::string directory_;
    spool::test::FakeKeys keys_;
    base::ManualClock clock_{base::WallTime{1'767'225'600'000}};
    std::unique_ptr<base::EventLoop> loop_;
    std::unique_ptr<spool::Writer> writer_;
    std::unique_ptr<Feeds> feeds_;
    bool connected_ = false;
    bool writing_ = true;
    std::int64_t elapsed_ms_ = 0;
    std::map<std::pair<spool::Lane, std::uint64_t>, std::int64_t> written_at_;
    std::vector<Sent> sent_;
    std::array<std::set<std::uint64_t>, 3> gaps_;
    std::deque<InFlight> in_flight_;
    std::deque<std::int64_t> last_second_;
    std::size_t busiest_second_ = 0;
    std::uint64_t units_ = 0;
    std::uint64_t most_bytes_ = 0;
};

}  // namespace mitral::uplink::test
