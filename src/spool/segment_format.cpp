#include "spool/segment_format.hpp"

#include <algorithm>
#include <cassert>

#include "spool/errors.hpp"

namespace mitral::spool {
namespace {

constexpr std::uint64_t magic = 0x4D49545253504F4C;  // "MITRSPOL"
constexpr std::uint16_t version = 1;
constexpr std::size_t wrapped_offset = 128;
constexpr std::size_t checksum_offset = header_size - 4;
constexpr std::uint32_t slot_ends_batch = 1;
constexpr std::uint32_t slot_dropped = 2;
constexpr std::uint32_t slot_condemned = 4;
constexpr std::size_t slot_used = 6 * 8 + 4;

constexpr std::uint8_t frame_kind_mask = 0x03;
constexpr std::uint8_t frame_ends_batch = 0x80;

std::uint32_t read_u32(const std::uint8_t* at) noexcept {
    return (std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) |
           (std::uint32_t{at[2]} << 8) | std::uint32_t{at[3]};
}
std::uint64_t read_u64(const std::uint8_t* at) noexcept {
    return (std::uint64_t{read_u32(at)} << 32) | read_u32(at + 4);
}
void write_u32(std::uint8_t* at, std::uint32_t value) noexcept {
    for (int i = 3; i >= 0; --i, value >>= 8)
        at[i] = static_cast<std::uint8_t>(value);
}
void write_u64(std::uint8_t* at, std::uint64_t value) noexcept {
    write_u32(at, static_cast<std::uint32_t>(value >> 32));
    write_u32(at + 4, static_cast<std::uint32_t>(value));
}

// The slot changes under the header: its bytes count as zero.
std::uint32_t header_checksum(base::ByteView area) noexcept {
    static constexpr std::array<std::uint8_t, slot_size> blank{};
    auto sum = base::crc32c(area.first(slot_offset));
    sum = base::crc32c(blank, sum);
    return base::crc32c(
        area.subspan(slot_offset + slot_size, checksum_offset - slot_offset - slot_size), sum);
}

std::uint8_t frame_flags(RecordKind kind, bool ends_batch) noexcept {
    return static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) |
                                     (ends_batch ? frame_ends_batch : 0));
}

std::uint32_t frame_checksum(base::ByteView frame) noexcept {
    const auto sum = base::crc32c(frame.first(4));
    return base::crc32c(frame.subspan(8), sum);
}

base::Aes256Gcm::Nonce nonce_of(std::uint64_t sequence) noexcept {
    base::Aes256Gcm::Nonce nonce{};
    write_u64(nonce.data() + 4, sequence);
    return nonce;
}

constexpr std::size_t associated_size = 18;
std::array<std::uint8_t, associated_size> associated_data(Lane lane, RecordId id,
                                                          std::uint8_t flags) noexcept {
    std::array<std::uint8_t, associated_size> data{};
    data[0] = static_cast<std::uint8_t>(lane);
    data[1] = flags;
    write_u64(data.data() + 2, id.stream);
    write_u64(data.data() + 10, id.sequence);
    return data;
}

// What is authenticated but not encrypted: the place of the record and, for a gap, its payload.
base::Bytes gap_associated_data(Lane lane, RecordId id, std::uint8_t flags,
                                base::ByteView payload) {
    const auto place = associated_data(lane, id, flags);
    base::Bytes data(place.begin(), place.end());
    data.insert(data.end(), payload.begin(), payload.end());
    return data;
}

}  // namespace

base::Bytes encode_header(const SegmentHeader& header) {
    assert(header.wrapped_key.size() <= max_wrapped_size);
    base::ByteWriter out;
    out.u64(magic).u16(version).u8(static_cast<std::uint8_t>(header.lane)).u8(0).u32(header_size);
    out.u64(header.stream).u64(header.first_sequence);
    out.u64(static_cast<std::uint64_t>(header.created.ms));
    auto area = std::move(out).bytes();
    area.resize(wrapped_offset);
    base::ByteWriter wrapped;
    wrapped.block16(header.wrapped_key);
    area.insert(area.end(), wrapped.bytes().begin(), wrapped.bytes().end());
    area.resize(header_size);
    write_u32(area.data() + checksum_offset, header_checksum(area));
    Slot empty;
    empty.last_sequence = header.first_sequence - 1;
    empty.last_written = header.created;
    const auto slot = encode_slot(empty);
    std::copy(slot.begin(), slot.end(), area.begin() + slot_offset);
    return area;
}

base::Result<SegmentHeader> decode_header(base::ByteView area) {
    const auto damaged = [](const char* what) { return base::fail(SpoolError::damaged, what); };
    if (area.size() < header_size)
        return damaged("segment is shorter than its header");
    area = area.first(header_size);
    if (header_checksum(area) != read_u32(area.data() + checksum_offset))
        return damaged("segment header fails its checksum");
    base::ByteReader in(area);
    if (in.u64() != magic || in.u16() != version)
        return damaged("not a segment of this version");
    const auto lane = in.u8().value_or(0xFF);
    (void)in.u8();
    (void)in.u32();
    SegmentHeader header;
    header.stream = in.u64().value_or(0);
    header.first_sequence = in.u64().value_or(0);
    header.created.ms = static_cast<std::int64_t>(in.u64().value_or(0));
    base::ByteReader key(area.subspan(wrapped_offset));
    const auto wrapped = key.block16();
    if (lane > static_cast<std::uint8_t>(Lane::waves) || header.first_sequence == 0 ||
        header.first_sequence > max_sequence || !wrapped || wrapped->size() > max_wrapped_size)
        return damaged("segment header is out of bounds");
    header.lane = static_cast<Lane>(lane);
    header.wrapped_key.assign(wrapped->begin(), wrapped->end());
    return header;
}

SlotBytes encode_slot(const Slot& slot) {
    SlotBytes bytes{};
    write_u64(bytes.data(), slot.size);
    write_u64(bytes.data() + 8, slot.last_sequence);
    write_u64(bytes.data() + 16, static_cast<std::uint64_t>(slot.last_written.ms));
    write_u64(bytes.data() + 24, slot.dropped_records);
    write_u64(bytes.data() + 32, slot.gap_first);
    write_u64(bytes.data() + 40, slot.gap_end);
    write_u32(bytes.data() + 48, (slot.ends_batch ? slot_ends_batch : 0) |
                                     (slot.dropped ? slot_dropped : 0) |
                                     (slot.condemned ? slot_condemned : 0));
    write_u32(bytes.data() + slot_size - 4,
              base::crc32c(base::ByteView(bytes).first(slot_size - 4)));
    return bytes;
}

std::optional<Slot> decode_slot(base::ByteView bytes) {
    static_assert(slot_used <= slot_size - 4);
    if (bytes.size() != slot_size ||
        base::crc32c(bytes.first(slot_size - 4)) != read_u32(bytes.data() + slot_size - 4))
        return std::nullopt;
    Slot slot;
    slot.size = read_u64(bytes.data());
    slot.last_sequence = read_u64(bytes.data() + 8);
    slot.last_written.ms = static_cast<std::int64_t>(read_u64(bytes.data() + 16));
    slot.dropped_records = read_u64(bytes.data() + 24);
    slot.gap_first = read_u64(bytes.data() + 32);
    slot.gap_end = read_u64(bytes.data() + 40);
    const auto flags = read_u32(bytes.data() + 48);
    slot.ends_batch = (flags & slot_ends_batch) != 0;
    slot.dropped = (flags & slot_dropped) != 0;
    slot.condemned = (flags & slot_condemned) != 0;
    if (slot.size < header_size || slot.last_sequence > max_sequence ||
        slot.dropped_records > max_sequence)
        return std::nullopt;
    return slot;
}

std::optional<FrameHeader> decode_frame_header(base::ByteView bytes) noexcept {
    if (bytes.size() < frame_header_size)
        return std::nullopt;
    FrameHeader header;
    header.body_size = read_u32(bytes.data());
    header.checksum = read_u32(bytes.data() + 4);
    header.sequence = read_u64(bytes.data() + 8);
    const std::uint8_t flags = bytes[16];
    const std::uint8_t kind = flags & frame_kind_mask;
    if ((flags & ~(frame_kind_mask | frame_ends_batch)) != 0 ||
        kind > static_cast<std::uint8_t>(RecordKind::boundary))
        return std::nullopt;
    if (header.body_size < base::Aes256Gcm::tag_size ||
        header.body_size > max_payload_size + base::Aes256Gcm::tag_size || header.sequence == 0 ||
        header.sequence > max_sequence)
        return std::nullopt;
    header.kind = static_cast<RecordKind>(kind);
    header.ends_batch = (flags & frame_ends_batch) != 0;
    return header;
}

bool checksum_holds(const FrameHeader& header, base::ByteView frame) noexcept {
    return frame.size() == header.frame_size() && frame_checksum(frame) == header.checksum;
}

base::Status append_frame(base::Aes256Gcm& cipher, Lane lane, RecordId id, RecordKind kind,
                          bool ends_batch, base::ByteView payload, base::Bytes& out) {
    if (payload.size() > max_payload_size)
        return base::fail(SpoolError::too_large,
                          "record of " + std::to_string(payload.size()) + " bytes");
    const auto flags = frame_flags(kind, ends_batch);
    const auto start = out.size();
    out.resize(start + frame_header_size);
    base::Status sealed;
    if (kind == RecordKind::gap) {
        out.insert(out.end(), payload.begin(), payload.end());
        sealed = cipher.seal(nonce_of(id.sequence), gap_associated_data(lane, id, flags, payload),
                             {}, out);
    } else {
        sealed = cipher.seal(nonce_of(id.sequence), associated_data(lane, id, flags), payload, out);
    }
    if (!sealed) {
        out.resize(start);
        return sealed;
    }
    const auto frame = base::MutableByteView(out).subspan(start);
    write_u32(frame.data(), static_cast<std::uint32_t>(frame.size() - frame_header_size));
    write_u64(frame.data() + 8, id.sequence);
    frame[16] = flags;
    write_u32(frame.data() + 4, frame_checksum(frame));
    return {};
}

base::Result<Record> open_frame(base::Aes256Gcm& cipher, Lane lane, std::uint64_t stream,
                                const FrameHeader& header, base::ByteView frame) {
    Record record;
    record.id = {stream, header.sequence};
    record.kind = header.kind;
    record.ends_batch = header.ends_batch;
    const auto flags = frame_flags(header.kind, header.ends_batch);
    const auto nonce = nonce_of(header.sequence);
    const auto body = frame.subspan(frame_header_size);
    if (header.kind == RecordKind::gap) {
        const auto payload = gap_payload(header, frame);
        base::Bytes nothing;
        MITRAL_CHECK(cipher.open(nonce, gap_associated_data(lane, record.id, flags, payload),
                                 body.subspan(payload.size()), nothing));
        record.payload.assign(payload.begin(), payload.end());
    } else {
        MITRAL_CHECK(
            cipher.open(nonce, associated_data(lane, record.id, flags), body, record.payload));
    }
    return record;
}

base::ByteView gap_payload(const FrameHeader& header, base::ByteView frame) noexcept {
    return frame.subspan(frame_header_size, header.body_size - base::Aes256Gcm::tag_size);
}

}  // namespace mitral::spool
