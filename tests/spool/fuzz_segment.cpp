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

// Mends the checksums, or the fuzzer would never get past them.
void mend(base::Bytes& content) {
    if (content.size() < spool::header_size)
        return;
    auto rebuilt = spool::encode_header({spool::Lane::vitals, 1, 1, {}, base::Bytes(32)});
    spool::Slot slot;
    slot.size = content.size();
    slot.last_sequence = content[0];
    slot.dropped = content[1] == 1;
    const auto bytes = spool::encode_slot(slot);
    std::copy(bytes.begin(), bytes.end(), rebuilt.begin() + spool::slot_offset);
    std::copy(rebuilt.begin(), rebuilt.end(), content.begin());
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
    base::Bytes content(data, data + size);
    for (const bool mended : {false, true}) {
        if (mended)
            mend(content);
        if (ftruncate(file, 0) != 0 || lseek(file, 0, SEEK_SET) != 0 ||
            !base::write_all(file, content))
            std::abort();
        walk(path);
    }
    (void)spool::decode_gap({data, size});
    return 0;
}
