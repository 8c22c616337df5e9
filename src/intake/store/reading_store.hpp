// Puts readings into the spool, one group at a time. Shared by all connections of a process.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "clinical/observation.hpp"
#include "intake/store/counters.hpp"
#include "intake/store/fingerprint.hpp"
#include "intake/store/recent_ids.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

class ReadingStore {
  public:
    ReadingStore(spool::Writer& writer, StoreCounters& counters);

    enum class Outcome {
        stored,     // in the open group: durable after commit()
        duplicate,  // durable already
        repeated,   // the same reading is in the open group
        id_taken,   // another reading has this id: nothing was stored
        too_large,
        postponed,  // nothing was stored: the spool cannot take it now
    };

    // Observations and waveforms of one reading become two records, each in its lane; the rest of
    // `reading` is unchanged on return. Precondition: clinical::check(reading).
    [[nodiscard]] Outcome put(clinical::Reading& reading);

    // Whether a commit is due, and how much it would cover.
    [[nodiscard]] bool has_open_group() const noexcept { return open_bytes_ != 0; }
    [[nodiscard]] std::size_t open_bytes() const noexcept { return open_bytes_; }
    // Makes the open group durable. After a failure none of it counts as stored.
    [[nodiscard]] base::Status commit();

    // What the last failure was, in few words without paths; for replies.
    [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

  private:
    [[nodiscard]] Outcome append(clinical::Reading& reading);
    [[nodiscard]] bool append_record(spool::Lane lane, const base::Bytes& record);
    void note_trouble(const char* event, const base::Error& error);

    spool::Writer& writer_;
    StoreCounters& counters_;
    Fingerprints fingerprints_;
    RecentIds recent_;
    base::Bytes vitals_record_;
    base::Bytes waves_record_;
    std::size_t open_bytes_ = 0;
    std::uint64_t open_readings_ = 0;
    std::uint64_t open_observations_ = 0;
    std::string trouble_;
    bool group_in_trouble_ = false;
    bool in_trouble_ = false;  // logged once when it begins and once when it ends
};

}  // namespace mitral::intake
