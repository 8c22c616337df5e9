// The live segment of a lane: one key, one file, appended to group by group.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"
#include "spool/keys.hpp"
#include "spool/recovery.hpp"
#include "spool/segment_format.hpp"
#include "spool/storage.hpp"

namespace mitral::spool {

class SegmentWriter {
  public:
    struct Place {
        std::string directory;
        Lane lane = Lane::vitals;
        std::uint64_t stream = 0;
        int group_id = -1;
    };

    // Takes a key for the segment that will start at `first_sequence`; nothing is on disk yet.
    [[nodiscard]] static base::Result<std::unique_ptr<SegmentWriter>> prepare(
        Storage& storage, const Place& place, std::uint64_t first_sequence, KeyIssuer& keys);

    // Seals a record into `out`. A number is sealed once in the life of a segment (the nonce):
    // after a failed write the segment is abandoned, never written to again.
    [[nodiscard]] base::Status seal(RecordId id, RecordKind kind, bool ends_batch,
                                    base::ByteView payload, base::Bytes& out) {
        return append_frame(cipher_, place_.lane, id, kind, ends_batch, payload, out);
    }

    // Writes sealed frames, syncs, and shows them to the reader. `after` describes the segment with
    // them in it; its size is set here. Creates the file on the first call. After an error:
    // abandon().
    [[nodiscard]] base::Status write(base::ByteView frames, Slot after, base::WallTime now);

    // After a failed write: shows the reader what was committed before, and cuts off the rest as
    // far as the disk lets us. Until it succeeds the reader may find the slot half written.
    [[nodiscard]] base::Status repair();
    [[nodiscard]] ClosedSegment description() const;
    [[nodiscard]] ClosedSegment close();

    [[nodiscard]] std::uint64_t first_sequence() const noexcept { return first_; }
    [[nodiscard]] bool on_disk() const noexcept { return fd_.valid(); }
    [[nodiscard]] std::uint64_t size() const noexcept { return on_disk() ? slot_.size : 0; }
    [[nodiscard]] const Slot& slot() const noexcept { return slot_; }

  private:
    SegmentWriter(Storage& storage, Place place, std::uint64_t first, base::Aes256Gcm cipher,
                  base::Bytes wrapped_key);
    [[nodiscard]] base::Status create(base::WallTime now);
    [[nodiscard]] std::string path() const;

    Storage& storage_;
    Place place_;
    std::uint64_t first_;
    base::Aes256Gcm cipher_;
    base::Bytes wrapped_key_;
    base::UniqueFd fd_;
    base::WallTime created_;
    Slot slot_;  // as the reader sees it
};

}  // namespace mitral::spool
