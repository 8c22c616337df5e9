// A spool in memory that can be told to fail.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "clinical/record.hpp"
#include "spool/errors.hpp"
#include "spool/writer.hpp"

namespace mitral::intake::test {

class FakeWriter final : public spool::Writer {
  public:
    struct Stored {
        spool::Lane lane;
        base::Bytes payload;
    };

    base::Result<spool::RecordId> append(spool::Lane lane, base::ByteView payload) override {
        ++appends;
        if (appends_until_full && (*appends_until_full)-- == 0) {
            appends_until_full = 0;
            return base::fail(spool::SpoolError::full, "told to be full, /a/path");
        }
        open_.push_back({lane, base::Bytes(payload.begin(), payload.end())});
        return spool::RecordId{1, committed.size() + open_.size()};
    }
    base::Status commit() override {
        ++commits;
        auto group = std::exchange(open_, {});
        if (fail_commits)
            return base::fail(spool::SpoolError::write_failed, "told to fail, /a/path");
        for (auto& record : group)
            committed.push_back(std::move(record));
        return {};
    }
    base::Status end_batches() override {
        ++batch_ends;
        return commit();
    }
    base::Status maintain() override {
        ++maintenances;
        if (fail_maintenance)
            return base::fail(maintenance_error, "told to fail");
        maintenance_due.reset();
        return {};
    }
    std::optional<base::MonotonicTime> next_maintenance() const override { return maintenance_due; }
    spool::LaneUsage usage(spool::Lane lane) const override {
        spool::LaneUsage usage;
        for (const auto& record : committed)
            usage.last_sequence += record.lane == lane ? 1 : 0;
        return usage;
    }

    // What the uplink will read.
    [[nodiscard]] std::vector<clinical::Reading> readings() const {
        std::vector<clinical::Reading> all;
        for (const auto& record : committed)
            all.push_back(clinical::decode_record(record.payload).value());
        return all;
    }

    std::vector<Stored> committed;
    std::optional<std::uint64_t> appends_until_full;
    bool fail_commits = false;
    bool fail_maintenance = false;
    spool::SpoolError maintenance_error = spool::SpoolError::write_failed;
    std::optional<base::MonotonicTime> maintenance_due;
    int appends = 0;
    int commits = 0;
    int maintenances = 0;
    int batch_ends = 0;

  private:
    std::vector<Stored> open_;
};

}  // namespace mitral::intake::test
