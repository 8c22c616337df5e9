// The bytes of a segment (docs/formats/spool.md). Pure functions: no I/O, no keys kept.
//
//   0        header     magic, version, lane, stream, first sequence, created
//   64       slot       what the reader may see; rewritten in place after each sync
//   128      wrapped    u16 size + the segment's key under the vault's
//   2048     frames     one after another
//
// The area has a fixed size so that frames are found even when the header is damaged.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "base/result.hpp"
#include "spool/lane.hpp"

namespace mitral::spool {

constexpr std::size_t header_size = 2048;
constexpr std::size_t slot_offset = 64;
constexpr std::size_t slot_size = 64;
constexpr std::size_t max_wrapped_size = 1024;
constexpr std::size_t max_payload_size = 256 * 1024;
constexpr std::size_t frame_header_size = 17;
constexpr std::size_t frame_overhead = frame_header_size + base::Aes256Gcm::tag_size;
constexpr std::size_t max_frame_size = max_payload_size + frame_overhead;
// Numbers above are never given out; sums of two cannot wrap.
constexpr std::uint64_t max_sequence = 1ULL << 62;

struct SegmentHeader {
    Lane lane = Lane::vitals;
    std::uint64_t stream = 0;
    std::uint64_t first_sequence = 1;
    base::WallTime created;
    base::Bytes wrapped_key;
};

// Everything but the slot is covered by the checksum. Precondition: the wrapped key fits.
[[nodiscard]] base::Bytes encode_header(const SegmentHeader& header);
// SpoolError::damaged when it is not a header.
[[nodiscard]] base::Result<SegmentHeader> decode_header(base::ByteView area);

// Written with one pwrite after the records before `size` have been synced, and not synced itself:
// after a power cut it may be older than the records, never newer.
struct Slot {
    std::uint64_t size = header_size;   // end of the last committed frame
    std::uint64_t last_sequence = 0;    // first_sequence - 1 while there is none
    base::WallTime last_written;        // of that record
    std::uint64_t dropped_records = 0;  // of the lane, up to here
    std::uint64_t gap_first = 0;        // condemned: the first number the gap has to cover
    std::uint64_t gap_end = 0;          // end of the last gap frame; 0: the segment has none
    bool ends_batch = true;  // the last record ends a batch (true as well while there is none)
    bool condemned = false;  // a gap record will tell of the records, whatever happens
    bool dropped = false;    // the reader jumps over them; only what is condemned on disk
};
using SlotBytes = std::array<std::uint8_t, slot_size>;
[[nodiscard]] SlotBytes encode_slot(const Slot& slot);
[[nodiscard]] std::optional<Slot> decode_slot(base::ByteView bytes);

struct FrameHeader {
    std::uint32_t body_size = 0;  // payload and tag
    std::uint32_t checksum = 0;   // CRC-32C over the header without itself, then the body
    std::uint64_t sequence = 0;
    RecordKind kind = RecordKind::data;
    bool ends_batch = false;

    [[nodiscard]] std::size_t frame_size() const noexcept { return frame_header_size + body_size; }
};

// nullopt: no frame starts here (a size or flag out of range, fewer than frame_header_size bytes).
[[nodiscard]] std::optional<FrameHeader> decode_frame_header(base::ByteView bytes) noexcept;
// `frame` is a whole frame, header first.
[[nodiscard]] bool checksum_holds(const FrameHeader& header, base::ByteView frame) noexcept;

// Seals a record and appends its frame. A gap's payload is authenticated but not encrypted, so that
// the writer, who cannot open its older segments, can tell a gap again when its segment has to go.
[[nodiscard]] base::Status append_frame(base::Aes256Gcm& cipher, Lane lane, RecordId id,
                                        RecordKind kind, bool ends_batch, base::ByteView payload,
                                        base::Bytes& out);
// BaseError::not_authentic when the record is not what was sealed under this key, lane and number.
[[nodiscard]] base::Result<Record> open_frame(base::Aes256Gcm& cipher, Lane lane,
                                              std::uint64_t stream, const FrameHeader& header,
                                              base::ByteView frame);
// The payload of a gap frame whose checksum holds, without its key.
[[nodiscard]] base::ByteView gap_payload(const FrameHeader& header, base::ByteView frame) noexcept;

}  // namespace mitral::spool
