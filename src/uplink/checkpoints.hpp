// Checkpoints of the trust zone on their way to the hub (docs/formats/checkpoint-1.md): at the
// start of each link, then by time and by number of messages, always ahead of data. One that is not
// acknowledged goes again; a trust zone that refuses holds up no reading. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "attest/report.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "spool/lane.hpp"
#include "uplink/delivery_list.hpp"

namespace mitral::uplink {

class Checkpoints {
  public:
    using Sign = std::function<base::Result<base::Bytes>(const attest::Report&)>;
    static constexpr std::size_t due_lines = 1'600;  // make one due before its time
    static constexpr std::size_t max_waiting = 8;    // for their PUBACK; then the oldest goes
    // Vaults give 240 in an hour (vault/rate_limit.hpp).
    static constexpr base::Milliseconds least_interval{15'000};
    static constexpr base::Milliseconds after_refusal{60'000};

    Checkpoints(const base::Clock& clock, base::Milliseconds interval, Sign sign)
        : clock_(clock), interval_(interval), sign_(std::move(sign)) {}

    // Every feed, in the order of their indices. `position_file`: the lane's acknowledged position
    // (spool/acknowledgement.hpp). Lanes whose names a checkpoint cannot hold are left out of it.
    void add_lane(const FeedName& name, const std::string& position_file);

    // For each message of a lane; the number comes back with its PUBACK.
    [[nodiscard]] std::uint64_t published(std::uint32_t feed, const Outgoing& message) {
        return lanes_[feed].name.empty() ? 0 : list_.published(feed, message);
    }
    void acknowledged(std::uint64_t number) { list_.acknowledged(number); }

    void link_up();
    void link_lost();

    // One is to be sent now.
    [[nodiscard]] bool due() const;
    // When that may change by itself.
    [[nodiscard]] base::MonotonicTime due_at() const noexcept;
    // nullptr: there is none after all. What is stored of the positions must be up to date. Valid
    // until the next call of anything here.
    [[nodiscard]] const Outgoing* front();
    // The front was published. The number is that of checkpoint_acknowledged().
    [[nodiscard]] std::uint64_t pop_front();
    void checkpoint_acknowledged(std::uint64_t number);
    // The link ends: the last messages go into one more, if there are any. Once.
    void finish();

    [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

  private:
    struct Lane {
        std::string name;  // empty: not in checkpoints
        std::string position_file;
        spool::RecordId covered;  // up to here by checkpoints of this process
    };
    struct Waiting {
        std::uint64_t number = 0;
        Outgoing message;
        bool sent = false;
    };
    struct Part {  // of a report, and of which lane
        attest::LaneReport report;
        std::uint32_t lane = 0;
    };
    [[nodiscard]] std::vector<Part> gather() const;
    void make();
    void refused(const base::Error& error);
    [[nodiscard]] Outgoing message_of(base::ByteView checkpoint,
                                      const std::vector<Part>& parts) const;

    const base::Clock& clock_;
    base::Milliseconds interval_;
    Sign sign_;
    DeliveryList list_;
    std::vector<Lane> lanes_;
    std::deque<Waiting> waiting_;  // oldest first
    std::uint64_t last_number_ = 0;
    std::uint64_t delivered_ = 0;
    std::optional<base::MonotonicTime> made_at_;
    std::optional<base::MonotonicTime> refused_at_;
    bool wanted_ = false;
    bool finished_ = false;
    std::string trouble_;
};

}  // namespace mitral::uplink
