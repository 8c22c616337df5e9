// A lane in memory: what a test put there, and what the uplink acknowledged.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "base/fd.hpp"
#include "clinical/record.hpp"
#include "spool/errors.hpp"
#include "spool/reader.hpp"

namespace mitral::test {

struct FakeLane {
    std::vector<spool::Record> records;
    std::map<std::uint64_t, base::Error> broken;  // sequence → the error next() gives there, once
    spool::GapReason skip_reason = spool::GapReason::unreadable;  // what skip_damage() gives up
    std::vector<spool::Gap> told;
    std::uint64_t skip_to = 0;  // skip_damage() gives up to here, at least one record
    std::uint64_t dropped = 0;  // records up to here are gone
    std::optional<std::uint64_t> claimed_batch_end;
    bool replaced = false;  // another lane stands in its place
    std::uint64_t acknowledged = 0;
    std::uint64_t persisted = 0;
    int rewinds = 0;
    base::UniqueFd wake{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

    void announce() const {
        const std::uint64_t one = 1;
        (void)!::write(wake.get(), &one, sizeof one);
    }
    spool::Record& add(base::Bytes payload, bool ends_batch = true,
                       spool::RecordKind kind = spool::RecordKind::data) {
        records.push_back({{0xABCD, records.size() + 1}, kind, ends_batch, std::move(payload)});
        return records.back();
    }
};

// The lane's first reader; those it branches off keep their positions to themselves.
class FakeReader final : public spool::LaneReader {
  public:
    explicit FakeReader(FakeLane& lane)
        : lane_(lane), position_(lane.acknowledged), acknowledged_(lane.acknowledged) {}

    base::Result<std::optional<spool::Record>> next() override {
        if (branched_ && lane_.replaced)
            return base::fail(spool::SpoolError::lane_replaced, "fake");
        if (position_ < lane_.dropped)
            position_ = lane_.dropped;
        if (const auto broken = lane_.broken.find(position_ + 1); broken != lane_.broken.end())
            return std::unexpected(broken->second);
        if (position_ >= lane_.records.size()) {
            std::uint64_t drained = 0;
            (void)!::read(lane_.wake.get(), &drained, sizeof drained);
            return std::nullopt;
        }
        return lane_.records[position_++];
    }
    void acknowledge(std::uint64_t sequence) noexcept override {
        acknowledged_ = sequence;
        if (!branched_)
            lane_.acknowledged = sequence;
    }
    base::Status persist() override {
        if (!branched_)
            lane_.persisted = lane_.acknowledged;
        return {};
    }
    std::uint64_t acknowledged() const noexcept override { return acknowledged_; }
    base::Result<spool::Skipped> skip_damage() override {
        ++position_;
        lane_.broken.erase(position_);
        spool::Gap gap;
        gap.first_sequence = position_;
        position_ = std::max<std::size_t>(position_, lane_.skip_to);
        gap.last_sequence = position_;
        gap.reason = lane_.skip_reason;
        return spool::Skipped{0xABCD, gap, lane_.told};
    }
    base::Status rewind() override {
        ++lane_.rewinds;
        position_ = acknowledged_;
        return {};
    }
    base::Result<std::uint64_t> backlog() override {
        return lane_.records.size() - std::max(acknowledged_, lane_.dropped);
    }
    int wake_descriptor() const noexcept override { return wake_.get(); }

    base::Result<std::optional<std::uint64_t>> newest_batch_end() override {
        if (lane_.claimed_batch_end)
            return lane_.claimed_batch_end;
        for (std::uint64_t i = lane_.records.size(); i > 0; --i) {
            if (lane_.records[i - 1].ends_batch)
                return i;
        }
        return std::nullopt;
    }
    base::Result<std::unique_ptr<spool::LaneReader>> branch(std::uint64_t first) override {
        auto reader = std::make_unique<FakeReader>(lane_);
        reader->branched_ = true;
        reader->position_ = reader->acknowledged_ = first - 1;
        return reader;
    }
    void take_over() noexcept override {
        branched_ = false;
        lane_.acknowledged = acknowledged_;
    }

  private:
    FakeLane& lane_;
    base::UniqueFd wake_{::dup(lane_.wake.get())};  // two readers of a lane have one each
    std::size_t position_;
    std::uint64_t acknowledged_;
    bool branched_ = false;
};

inline base::Bytes reading_record(const std::string& source, std::uint64_t number) {
    clinical::Reading reading;
    reading.source = source;
    reading.control_id = source + "-" + std::to_string(number);
    reading.received = {1'767'225'600'000 + static_cast<std::int64_t>(number)};
    clinical::Observation observation;
    observation.mdc = 147842;
    observation.code = "MDC_ECG_HEART_RATE";
    observation.unit = "/min";
    observation.value = clinical::Decimal{628, -1};
    reading.observations.push_back(observation);
    base::Bytes record;
    clinical::append_record(reading, record);
    return record;
}

}  // namespace mitral::test
