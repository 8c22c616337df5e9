#include "spool/segment_writer.hpp"

#include <utility>

#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "spool/errors.hpp"
#include "spool/lane_files.hpp"

namespace mitral::spool {

base::Result<std::unique_ptr<SegmentWriter>> SegmentWriter::prepare(Storage& storage,
                                                                    const Place& place,
                                                                    std::uint64_t first_sequence,
                                                                    KeyIssuer& keys) {
    auto key = keys.new_segment_key();
    if (!key)
        return base::fail_with("no key for a new segment of lane " +
                                   std::string(to_string(place.lane)) + " (is the vault running?)",
                               key.error());
    if (key->key.size() != base::Aes256Gcm::key_size || key->wrapped.empty() ||
        key->wrapped.size() > max_wrapped_size)
        return base::fail(SpoolError::key_refused, "segment key or its wrapping has a wrong size");
    MITRAL_TRY(auto cipher, base::Aes256Gcm::create(key->key.view()));
    return std::unique_ptr<SegmentWriter>(new SegmentWriter(
        storage, place, first_sequence, std::move(cipher), std::move(key->wrapped)));
}

SegmentWriter::SegmentWriter(Storage& storage, Place place, std::uint64_t first,
                             base::Aes256Gcm cipher, base::Bytes wrapped_key)
    : storage_(storage),
      place_(std::move(place)),
      first_(first),
      cipher_(std::move(cipher)),
      wrapped_key_(std::move(wrapped_key)) {
    slot_.last_sequence = first - 1;
}

std::string SegmentWriter::path() const {
    return place_.directory + "/" + segment_name(first_);
}

// The file gets its name when its header is on disk, so that a segment always has one. It may
// replace one of the same number: a segment in which nothing was ever committed.
base::Status SegmentWriter::create(base::WallTime now) {
    const auto unfinished = path() + std::string(unfinished_suffix);
    MITRAL_FAIL_POINT("segment.create");
    MITRAL_TRY(auto fd, storage_.create(unfinished, spool_file_mode, place_.group_id));
    const auto header = encode_header({place_.lane, place_.stream, first_, now, wrapped_key_});
    MITRAL_FAIL_POINT("segment.write-header");
    MITRAL_CHECK(storage_.write(fd.get(), header, 0));
    MITRAL_FAIL_POINT("segment.sync-header");
    MITRAL_CHECK(storage_.sync(fd.get()));
    MITRAL_FAIL_POINT("segment.rename");
    MITRAL_CHECK(storage_.rename(unfinished, path()));
    fd_ = std::move(fd);
    created_ = now;
    slot_.last_written = now;
    MITRAL_FAIL_POINT("segment.sync-directory");
    return storage_.sync_directory(place_.directory);
}

base::Status SegmentWriter::write(base::ByteView frames, Slot after, base::WallTime now) {
    if (!on_disk())
        MITRAL_CHECK(create(now));
    after.size = slot_.size + frames.size();
    after.last_written = now;
    MITRAL_FAIL_POINT("group.write");
    MITRAL_CHECK(storage_.write(fd_.get(), frames, slot_.size));
    MITRAL_FAIL_POINT("group.sync");
    MITRAL_CHECK(storage_.sync(fd_.get()));
    MITRAL_FAIL_POINT("group.write-slot");
    MITRAL_CHECK(storage_.write(fd_.get(), encode_slot(after), slot_offset));
    MITRAL_FAIL_POINT("group.shown");
    slot_ = after;
    return {};
}

base::Status SegmentWriter::repair() {
    if (!on_disk())
        return {};
    MITRAL_FAIL_POINT("repair.write-slot");
    MITRAL_CHECK(storage_.write(fd_.get(), encode_slot(slot_), slot_offset));
    MITRAL_FAIL_POINT("repair.truncate");
    // What fails here is put right when the lane is opened the next time.
    const auto cut = storage_.truncate(fd_.get(), slot_.size);
    const auto synced = storage_.sync(fd_.get());
    if (!cut || !synced)
        base::log(base::Severity::warning, "spool-repair-incomplete", {{"path", path()}});
    return {};
}

ClosedSegment SegmentWriter::close() {
    MITRAL_FAIL_POINT("segment.close");
    if (const auto synced = storage_.sync(fd_.get());
        !synced)  // the slot; records are synced already
        base::log(base::Severity::warning, "spool-close-failed",
                  {{"cause", synced.error().message()}});
    return description();
}

ClosedSegment SegmentWriter::description() const {
    ClosedSegment closed;
    closed.first = first_;
    closed.last = slot_.last_sequence;
    closed.file_bytes = size();
    closed.first_written = created_;
    closed.slot = slot_;
    return closed;
}

}  // namespace mitral::spool
