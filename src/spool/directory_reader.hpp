// The reader of a lane that lies in a directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "spool/lane_files.hpp"
#include "spool/lane_watch.hpp"
#include "spool/reader.hpp"
#include "spool/segment_cursor.hpp"

namespace mitral::spool {

class DirectoryReader final : public LaneReader {
  public:
    DirectoryReader(std::string directory, Lane lane, std::string acknowledgement_file,
                    KeyOpener& keys, LaneWatch watch)
        : directory_(std::move(directory)),
          lane_(lane),
          acknowledgement_file_(std::move(acknowledgement_file)),
          keys_(keys),
          watch_(std::move(watch)) {}

    base::Result<std::optional<Record>> next() override;
    void acknowledge(std::uint64_t sequence) noexcept override;
    base::Status persist() override;
    std::uint64_t acknowledged() const noexcept override { return acknowledged_; }
    base::Status rewind() override;
    base::Result<bool> dropped_meanwhile() override;
    base::Result<Skipped> skip_damage() override;
    base::Result<std::uint64_t> backlog() override;
    int wake_descriptor() const noexcept override { return watch_.descriptor(); }

    base::Result<std::optional<std::uint64_t>> newest_batch_end() override;
    base::Result<std::unique_ptr<LaneReader>> branch(std::uint64_t first) override;
    void take_over() noexcept override { branched_ = false; }

  private:
    base::Result<bool> find_more();
    base::Result<bool> open_lane();
    base::Result<bool> enter();
    base::Result<bool> enter_segment(std::uint64_t first);
    base::Result<bool> behind_the_end(const SegmentCursor& newest);
    base::Status start_over(std::uint64_t last);
    std::unexpected<base::Error> another_lane() const;
    base::Result<bool> leave();
    base::Result<bool> dropped_under_us();
    base::Result<std::optional<std::uint64_t>> segment_after(std::uint64_t first) const;
    std::string path_of(std::uint64_t first) const {
        return directory_ + "/" + segment_name(first);
    }

    const std::string directory_;
    const Lane lane_;
    const std::string acknowledgement_file_;
    KeyOpener& keys_;
    LaneWatch watch_;

    bool branched_ = false;
    std::optional<std::uint64_t> stream_;  // nullopt: the lane has not been seen yet
    std::uint64_t acknowledged_ = 0;
    std::uint64_t persisted_ = 0;
    std::uint64_t handed_out_ = 0;
    std::uint64_t position_ = 1;  // number of the next record
    std::unique_ptr<SegmentCursor> current_;
};

}  // namespace mitral::spool
