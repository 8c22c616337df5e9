#include "spool/segment_cursor.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/errors.hpp"
#include "base/file.hpp"
#include "spool/errors.hpp"

namespace mitral::spool {
namespace {

// A slot read while it is being written fails its checksum; it is whole a moment later, or, when
// the writer was interrupted in the middle, once it has had the processor again.
constexpr int slot_attempts = 256;
constexpr int attempts_before_yield = 64;

}  // namespace

base::Result<std::unique_ptr<SegmentCursor>> SegmentCursor::open(const std::string& path, Lane lane,
                                                                 std::uint64_t stream,
                                                                 std::uint64_t first) {
    // O_NONBLOCK: a FIFO under a segment's name must not stop the reader.
    MITRAL_TRY(auto fd, base::open_file(path, O_RDONLY | O_NONBLOCK));
    struct stat status{};
    if (fstat(fd.get(), &status) != 0)
        return base::fail_errno("stat " + path);
    if (!S_ISREG(status.st_mode))
        return base::fail(SpoolError::damaged, path + " is not a file");
    return std::unique_ptr<SegmentCursor>(new SegmentCursor(std::move(fd), lane, stream, first));
}

SegmentCursor::SegmentCursor(base::UniqueFd fd, Lane lane, std::uint64_t stream,
                             std::uint64_t first)
    : fd_(std::move(fd)), lane_(lane), stream_(stream), first_(first), scanner_(fd_.get()) {
    slot_.last_sequence = first - 1;
}

bool SegmentCursor::unlinked() const noexcept {
    struct stat status{};
    return fstat(fd_.get(), &status) == 0 && status.st_nlink == 0;
}

std::unexpected<base::Error> SegmentCursor::damaged(std::string_view what) const {
    return base::fail(SpoolError::damaged, "lane " + std::string(to_string(lane_)) + " segment " +
                                               std::to_string(first_) + ": " + std::string(what));
}

base::Status SegmentCursor::refresh() {
    SlotBytes bytes{};
    for (int attempt = 0; attempt < slot_attempts; ++attempt) {
        MITRAL_TRY(const auto count, read_at(fd_.get(), bytes, slot_offset));
        if (count < bytes.size())
            break;
        const auto slot = decode_slot(bytes);
        if (!slot) {
            if (attempt % attempts_before_yield == attempts_before_yield - 1)
                sched_yield();
            continue;
        }
        if (slot->size < slot_.size || slot->last_sequence < slot_.last_sequence)
            return damaged("committed size went back");
        slot_ = *slot;
        scanner_.set_limit(slot_.size);
        return {};
    }
    return damaged("committed size is unreadable");
}

// A compromised writer writes what it likes into the slot, but its file is as large as it is.
std::uint64_t SegmentCursor::last_committed() const noexcept {
    struct stat status{};
    if (fstat(fd_.get(), &status) != 0)
        return first_ - 1;
    const auto bytes = std::min(slot_.size, static_cast<std::uint64_t>(status.st_size));
    const auto most = bytes > header_size ? (bytes - header_size) / frame_overhead : 0;
    return std::min(slot_.last_sequence, first_ - 1 + most);
}

base::Result<std::uint64_t> SegmentCursor::last_on_disk() const {
    struct stat status{};
    if (fstat(fd_.get(), &status) != 0)
        return base::fail_errno("stat segment");
    auto last = last_committed();
    FrameScanner scanner(fd_.get(), slot_.size);
    scanner.set_limit(static_cast<std::uint64_t>(status.st_size));
    for (;;) {
        MITRAL_TRY(const auto frame, scanner.next());
        if (!frame || frame->header.sequence != last + 1 ||
            !checksum_holds(frame->header, frame->bytes))
            return last;
        last = frame->header.sequence;
    }
}

base::Result<std::optional<std::uint64_t>> SegmentCursor::last_batch_end() const {
    const auto last = last_committed();
    if (last < first_)
        return std::nullopt;
    if (slot_.ends_batch)
        return last;
    std::optional<std::uint64_t> found;
    FrameScanner scanner(fd_.get());
    scanner.set_limit(slot_.size);
    for (;;) {
        MITRAL_TRY(const auto frame, scanner.next());
        if (!frame)
            return found;
        if (frame->header.ends_batch && frame->header.sequence <= last)
            found = frame->header.sequence;
    }
}

base::Status SegmentCursor::check_header() {
    base::Bytes area(header_size);
    MITRAL_TRY(const auto count, read_at(fd_.get(), area, 0));
    area.resize(count);
    MITRAL_TRY(auto header, decode_header(area));
    if (header.lane != lane_ || header.stream != stream_ || header.first_sequence != first_)
        return damaged("belongs somewhere else");
    header_ = std::move(header);
    return {};
}

base::Status SegmentCursor::seek(std::uint64_t sequence) {
    scanner_ = FrameScanner(fd_.get());
    scanner_.set_limit(slot_.size);
    for (;;) {
        if (at_end())
            return {};
        MITRAL_TRY(const auto frame, scanner_.peek());
        if (!frame)
            return damaged("no record where one should begin");
        if (frame->header.sequence >= sequence)
            return {};
        scanner_.advance(*frame);
    }
}

base::Status SegmentCursor::obtain_cipher(KeyOpener& keys) {
    if (cipher_)
        return {};
    const auto is_void = [this](const std::string& why) {
        key_void_ = true;
        return base::fail(SpoolError::key_void, "lane " + std::string(to_string(lane_)) +
                                                    " segment " + std::to_string(first_) + ": " +
                                                    why);
    };
    if (key_void_)  // asked once
        return is_void("its key was refused");
    const auto key = keys.open_segment_key(header_->wrapped_key);
    if (!key && key.error().code == SpoolError::key_void)
        return is_void(key.error().message());
    if (!key)
        return std::unexpected(key.error());
    if (key->size() != base::Aes256Gcm::key_size)
        return is_void("its key has a wrong size");
    MITRAL_TRY(cipher_, base::Aes256Gcm::create(key->view()));
    return {};
}

base::Result<std::optional<Record>> SegmentCursor::next(std::uint64_t sequence, KeyOpener& keys) {
    if (at_end())
        return std::nullopt;
    MITRAL_TRY(const auto frame, scanner_.peek());
    if (!frame)
        return damaged("no record where one should begin");
    if (frame->header.sequence != sequence || !checksum_holds(frame->header, frame->bytes))
        return damaged("record " + std::to_string(sequence) + " fails its checksum");
    MITRAL_CHECK(obtain_cipher(keys));
    auto record = open_frame(*cipher_, lane_, stream_, frame->header, frame->bytes);
    if (!record && record.error().code == base::BaseError::not_authentic)
        return base::fail(SpoolError::tampered, "lane " + std::string(to_string(lane_)) +
                                                    " record " + std::to_string(sequence) +
                                                    " does not authenticate");
    if (!record)
        return std::unexpected(std::move(record).error());
    scanner_.advance(*frame);
    return *std::move(record);
}

base::Result<bool> SegmentCursor::frame_follows(std::uint64_t sequence) {
    if (at_end())
        return slot_.last_sequence + 1 == sequence;
    MITRAL_TRY(const auto frame, scanner_.peek());
    return frame && frame->header.sequence == sequence;
}

base::Result<std::uint64_t> SegmentCursor::skip(std::uint64_t sequence) {
    const auto last = std::max(sequence, last_committed());
    MITRAL_TRY(const auto frame, scanner_.peek());
    if (!key_void_ && frame && frame->header.sequence == sequence) {
        scanner_.advance(*frame);
        MITRAL_TRY(const bool follows, frame_follows(sequence + 1));
        if (follows)
            return sequence;
    }
    scanner_ = FrameScanner(fd_.get(), slot_.size);
    scanner_.set_limit(slot_.size);
    return last;
}

Gap SegmentCursor::gap(std::uint64_t first, std::uint64_t last) const {
    Gap gap{lane_,
            first,
            last,
            header_ ? header_->created : slot_.last_written,
            slot_.last_written,
            key_void_ ? GapReason::key_void : GapReason::unreadable};
    // When it was written stands in the record that cannot be read; the slot's time moves on.
    if (last != last_committed())
        gap.first_written = gap.last_written = {};
    return gap;
}

base::Result<std::vector<Gap>> SegmentCursor::gaps_told(std::uint64_t first) const {
    std::vector<Gap> told;
    if (!key_void_)
        return told;
    FrameScanner scanner(fd_.get());
    scanner.set_limit(slot_.size);
    while (told.size() < max_told) {
        MITRAL_TRY(const auto frame, scanner.next());
        if (!frame)
            break;
        if (frame->header.kind != RecordKind::gap || frame->header.sequence < first ||
            !checksum_holds(frame->header, frame->bytes))
            continue;
        const auto gap = decode_gap(gap_payload(frame->header, frame->bytes));
        if (gap && gap->last_sequence < first_)
            told.push_back(*gap);
    }
    return told;
}

}  // namespace mitral::spool
