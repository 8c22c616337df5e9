// One segment as the reader walks through it. Nothing in the file is believed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crypto.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "spool/frame_scanner.hpp"
#include "spool/gap.hpp"
#include "spool/keys.hpp"
#include "spool/segment_format.hpp"

namespace mitral::spool {

class SegmentCursor {
  public:
    // std::errc::no_such_file_or_directory: it has just been deleted.
    [[nodiscard]] static base::Result<std::unique_ptr<SegmentCursor>> open(const std::string& path,
                                                                           Lane lane,
                                                                           std::uint64_t stream,
                                                                           std::uint64_t first);

    [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
    [[nodiscard]] const Slot& slot() const noexcept { return slot_; }
    [[nodiscard]] bool at_end() const noexcept { return scanner_.at_limit(); }
    // No directory entry is left.
    [[nodiscard]] bool unlinked() const noexcept;

    // Looks what the writer has committed meanwhile.
    [[nodiscard]] base::Status refresh();
    // SpoolError::damaged unless this is the lane's segment `first`.
    [[nodiscard]] base::Status check_header();
    // Moves in front of record `sequence`, or to the end when all are lower.
    [[nodiscard]] base::Status seek(std::uint64_t sequence);
    // The record in front, which has to be `sequence`. nullopt: end of what is committed.
    [[nodiscard]] base::Result<std::optional<Record>> next(std::uint64_t sequence, KeyOpener& keys);

    // The last number the committed part of the file can hold, whatever the slot says.
    [[nodiscard]] std::uint64_t last_committed() const noexcept;
    // The last number on disk, committed or not yet shown (after a power cut the slot may be old).
    [[nodiscard]] base::Result<std::uint64_t> last_on_disk() const;

    // The highest number whose frame claims to end a batch; read by headers alone.
    [[nodiscard]] base::Result<std::optional<std::uint64_t>> last_batch_end() const;

    // Gives up the record in front (`sequence`), and with it the rest of the segment when it does
    // not tell where the next one begins, or its key is void. Returns the last number given up.
    [[nodiscard]] base::Result<std::uint64_t> skip(std::uint64_t sequence);
    [[nodiscard]] Gap gap(std::uint64_t first, std::uint64_t last) const;
    // When the key is void: the gaps told by committed records from `first` on, at most max_told.
    // Their checksums hold; nobody can authenticate them. They may name numbers below the
    // acknowledged one: the position passes over a hole before its gap is read.
    static constexpr std::size_t max_told = 1024;
    [[nodiscard]] base::Result<std::vector<Gap>> gaps_told(std::uint64_t first) const;

  private:
    SegmentCursor(base::UniqueFd fd, Lane lane, std::uint64_t stream, std::uint64_t first);
    [[nodiscard]] base::Status obtain_cipher(KeyOpener& keys);
    [[nodiscard]] base::Result<bool> frame_follows(std::uint64_t sequence);
    [[nodiscard]] std::unexpected<base::Error> damaged(std::string_view what) const;

    base::UniqueFd fd_;
    Lane lane_;
    std::uint64_t stream_;
    std::uint64_t first_;
    std::optional<SegmentHeader> header_;
    Slot slot_;
    FrameScanner scanner_;
    std::optional<base::Aes256Gcm> cipher_;
    bool key_void_ = false;
};

}  // namespace mitral::spool
