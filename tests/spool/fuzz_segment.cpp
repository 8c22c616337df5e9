// A segment file of the attacker's making, read as the uplink reads it: with an opener that accepts
// any wrapped key, so that records sealed under the fuzzer's own key can be reached as well.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/file.hpp"
#include "spool/frame_scanner.hpp"
#include "spool/gap.hpp"
#include "spool/reader.hpp"
#include "spool/segment_cursor.hpp"
#include "spool/segment_format.hpp"

namespace {

using namespace mitral;

struct AnyKey final : spool::KeyOpener {
    base::Result<base::Secret> open_segment_key(base::ByteView) override {
        return base::Secret(base::Aes256Gcm::key_size);
    }
};

void put_u32(std::uint8_t* at, std::uint32_t value) {
    for (int i = 3; i >= 0; --i, value >>= 8)
        at[i] = static_cast<std::uint8_t>(value);
}

// A segment whose header, slot and frame checksums hold around the fuzzer's frames, or it would
// hardly ever get past them. The first byte chooses the slot.
base::Bytes composed(base::ByteView frames) {
    auto content = spool::encode_header({spool::Lane::vitals, 1, 1, {}, base::Bytes(32)});
    spool::Slot slot;
    slot.last_sequence = frames.empty() ? 0 : frames[0] & 0x0FU;
    slot.dropped = !frames.empty() && frames[0] == 0xFF;
    content.insert(content.end(), frames.begin() + (frames.empty() ? 0 : 1), frames.end());
    slot.size = content.size();
    const auto bytes = spool::encode_slot(slot);
    std::copy(bytes.begin(), bytes.end(), content.begin() + spool::slot_offset);
    for (std::size_t at = spool::header_size; at < content.size();) {
        const auto frame = base::MutableByteView(content).subspan(at);
        const auto header = spool::decode_frame_header(frame);
        if (!header || header->frame_size() > frame.size())
            break;
        const auto sum =
            base::crc32c(frame.subspan(8, header->frame_size() - 8), base::crc32c(frame.first(4)));
        put_u32(frame.data() + 4, sum);
        at += header->frame_size();
    }
    return content;
}

void walk(const std::string& path) {
    AnyKey keys;
    auto cursor = spool::SegmentCursor::open(path, spool::Lane::vitals, 1, 1);
    if (!cursor || !(*cursor)->refresh() || !(*cursor)->check_header() || !(*cursor)->seek(1))
        return;
    std::uint64_t sequence = 1;
    for (int steps = 0; steps < 10'000 && !(*cursor)->at_end(); ++steps) {
        const auto record = (*cursor)->next(sequence, keys);
        if (record && *record) {
            if ((*record)->kind == spool::RecordKind::gap)
                (void)spool::decode_gap((*record)->payload);
            ++sequence;
            continue;
        }
        const auto skipped = (*cursor)->skip(sequence);
        if (!skipped)
            return;
        if (*skipped < sequence)
            std::abort();
        sequence = *skipped + 1;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::string path = "/dev/shm/mitral-fuzz-XXXXXX";
    static const int file = mkstemp(path.data());
    if (file < 0)
        std::abort();
    static const bool cleaned = std::atexit([] { (void)unlink(path.c_str()); }) == 0;
    (void)cleaned;
    const base::ByteView input(data, size);
    for (const auto& content : {base::Bytes(input.begin(), input.end()), composed(input)}) {
        if (ftruncate(file, 0) != 0 || lseek(file, 0, SEEK_SET) != 0 ||
            !base::write_all(file, content))
            std::abort();
        walk(path);
    }
    (void)spool::decode_gap({data, size});
    return 0;
}
