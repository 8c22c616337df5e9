#include "spool/writer.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "spool/errors.hpp"
#include "spool/lane_files.hpp"
#include "spool/lane_writer.hpp"
#include "spool/open_writer.hpp"

namespace mitral::spool {
namespace {

static_assert(Writer::max_record_size == max_payload_size);

constexpr std::uint64_t min_max_bytes = 64 * 1024;
constexpr std::uint64_t min_segment_bytes = 4 * 1024;
constexpr std::uint64_t segments_in_bound = 8;  // fewer would make each drop too large a share
constexpr base::Milliseconds acknowledgement_interval{5'000};
constexpr base::Milliseconds retry_interval{1'000};

bool is_full(const base::Error& error) {
    return error.code == std::errc::no_space_on_device || error.code.value() == EDQUOT ||
           error.code == std::errc::file_too_large;
}

class DirectoryWriter final : public Writer {
  public:
    DirectoryWriter(WriterOptions options, const base::Clock& clock, base::UniqueFd lock)
        : options_(std::move(options)), clock_(clock), lock_(std::move(lock)) {}

    base::Status open_lanes(Storage& storage, KeyIssuer& keys) {
        for (const auto lane : lanes_by_priority) {
            auto opened = LaneWriter::open(storage, options_, lane, keys, clock_);
            if (!opened)
                return base::fail_with("open lane " + std::string(to_string(lane)), opened.error());
            at(lane) = *std::move(opened);
        }
        checked_ = clock_.monotonic();
        return {};
    }

    base::Result<RecordId> append(Lane lane, base::ByteView payload) override {
        if (payload.size() > max_record_size)
            return base::fail(SpoolError::too_large,
                              "a record of " + std::to_string(payload.size()) + " bytes");
        MITRAL_CHECK(make_room(payload.size() + frame_overhead));
        return at(lane)->append(payload);
    }

    base::Status commit() override {
        base::Status status;
        for (const auto& lane : lanes_) {
            if (lane->needs_settling())
                note(lane->settle());
            if (auto committed = lane->commit(); !committed) {
                free_space_after(committed.error());
                if (status)
                    status = base::fail(SpoolError::write_failed, committed.error().message());
            }
        }
        return status;
    }

    base::Status end_batches() override {
        base::Status status;
        for (const auto& lane : lanes_) {
            if (auto ended = lane->end_batch(); !ended && status)
                status = std::move(ended);
        }
        auto committed = commit();
        return status ? committed : status;
    }

    base::Status maintain() override {
        base::Status status;
        for (const auto& lane : lanes_) {
            if (auto maintained = maintain(*lane); !maintained && status)
                status = std::move(maintained);
        }
        const auto now = clock_.monotonic();
        checked_ = now;
        not_before_ = status ? now : now + retry_interval;
        return status;
    }

    std::optional<base::MonotonicTime> next_maintenance() const override {
        std::optional<base::MonotonicTime> next;
        const auto consider = [&](base::MonotonicTime time) {
            next = std::max(not_before_, next ? std::min(*next, time) : time);
        };
        for (const auto& lane : lanes_) {
            if (const auto deadline = lane->batch_deadline())
                consider(*deadline);
            if (lane->awaits_acknowledgement())
                consider(checked_ + acknowledgement_interval);
            if (lane->needs_settling())
                consider(checked_ + retry_interval);
        }
        return next;
    }

    LaneUsage usage(Lane lane) const override {
        return lanes_[static_cast<std::size_t>(lane)]->usage();
    }

  private:
    std::unique_ptr<LaneWriter>& at(Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }

    // A group the caller has begun is left for its own commit().
    base::Status maintain(LaneWriter& lane) {
        lane.refresh_acknowledged();
        MITRAL_CHECK(lane.delete_acknowledged());
        const bool idle = lane.group_empty();
        MITRAL_CHECK(lane.settle());
        return idle ? lane.commit() : base::Status{};
    }

    std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const auto& lane : lanes_)
            sum += lane->bytes();
        return sum;
    }

    bool fits(std::uint64_t more) const { return bytes() + more <= options_.max_bytes; }

    base::Status make_room(std::uint64_t more) {
        if (fits(more))
            return {};
        delete_acknowledged();
        while (!fits(more)) {
            MITRAL_TRY(const bool dropped, drop_one());
            if (!dropped)
                return base::fail(SpoolError::full,
                                  options_.directory + " has reached its bound of " +
                                      std::to_string(options_.max_bytes) +
                                      " bytes with records that may not be dropped");
        }
        return {};
    }

    // The oldest waves, then the oldest vitals; live segments only when nothing else is left.
    base::Result<bool> drop_one() {
        for (const auto lane : {Lane::waves, Lane::vitals}) {
            if (!at(lane)->can_drop_closed())
                continue;
            MITRAL_CHECK(at(lane)->drop_oldest());
            return true;
        }
        for (const auto lane : {Lane::waves, Lane::vitals}) {
            if (!at(lane)->can_drop_live())
                continue;
            MITRAL_CHECK(at(lane)->drop_live());
            return true;
        }
        return false;
    }

    void delete_acknowledged() {
        for (const auto& lane : lanes_) {
            lane->refresh_acknowledged();
            note(lane->delete_acknowledged());
        }
    }

    // The disk is fuller than the bound foresaw. What the hub has goes first; only when there is
    // none of that, something goes that it does not have.
    void free_space_after(const base::Error& error) {
        if (!is_full(error))
            return;
        const auto before = bytes();
        delete_acknowledged();
        if (bytes() < before)
            return;
        if (const auto dropped = drop_one(); !dropped)
            note(std::unexpected(dropped.error()));
    }

    // For steps that are tried again later anyway.
    static void note(const base::Status& status) {
        if (!status)
            base::log(base::Severity::warning, "spool-step-failed",
                      {{"cause", status.error().message()}});
    }

    WriterOptions options_;
    const base::Clock& clock_;
    base::UniqueFd lock_;
    std::array<std::unique_ptr<LaneWriter>, lanes_by_priority.size()> lanes_;
    base::MonotonicTime checked_;
    base::MonotonicTime not_before_;
};

base::Status check(WriterOptions& options) {
    while (options.directory.size() > 1 && options.directory.back() == '/')
        options.directory.pop_back();
    if (options.directory.empty() || options.max_bytes < min_max_bytes)
        return base::fail(base::BaseError::invalid_setting,
                          "a spool needs a directory and a bound of at least 64 KiB");
    options.segment_bytes =
        std::clamp(options.segment_bytes, min_segment_bytes,
                   std::max(min_segment_bytes, options.max_bytes / segments_in_bound));
    return {};
}

base::Result<base::UniqueFd> lock_directory(const std::string& directory) {
    MITRAL_TRY(auto fd, base::open_file(directory + "/lock", O_RDWR | O_CREAT, 0600));
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return base::fail(SpoolError::in_use, directory + " already has a writer");
    return fd;
}

}  // namespace

base::Result<std::unique_ptr<Writer>> open_writer(WriterOptions options, KeyIssuer& keys,
                                                  const base::Clock& clock, Storage& storage) {
    MITRAL_CHECK(check(options));
    MITRAL_CHECK(make_spool_directory(storage, options.directory, options.group_id));
    MITRAL_TRY(auto lock, lock_directory(options.directory));
    auto writer = std::make_unique<DirectoryWriter>(std::move(options), clock, std::move(lock));
    MITRAL_CHECK(writer->open_lanes(storage, keys));
    return writer;
}

base::Result<std::unique_ptr<Writer>> Writer::open(WriterOptions options, KeyIssuer& keys,
                                                   const base::Clock& clock) {
    return open_writer(std::move(options), keys, clock, Storage::system());
}

}  // namespace mitral::spool
