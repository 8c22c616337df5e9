#include "intake/store/reading_store.hpp"

#include <utility>

#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "clinical/record.hpp"

namespace mitral::intake {

ReadingStore::ReadingStore(spool::Writer& writer, StoreCounters& counters)
    : writer_(writer), counters_(counters) {}

ReadingStore::Outcome ReadingStore::put(clinical::Reading& reading) {
    const auto fingerprint = fingerprints_.of(reading);
    switch (recent_.find(reading.source, fingerprint)) {
        case RecentIds::Seen::before:
            ++counters_.duplicates;
            return Outcome::duplicate;
        case RecentIds::Seen::in_open_group:
            ++counters_.duplicates;
            return Outcome::repeated;
        case RecentIds::Seen::with_other_content:
            return Outcome::id_taken;
        case RecentIds::Seen::no:
            break;
    }
    const auto outcome = append(reading);
    if (outcome == Outcome::stored)
        recent_.add(reading.source, fingerprint);
    return outcome;
}

ReadingStore::Outcome ReadingStore::append(clinical::Reading& reading) {
    // Waves may have to go where vitals may not: a lane each, the same id, indexes that do not
    // meet.
    vitals_record_.clear();
    waves_record_.clear();
    auto waveforms = std::exchange(reading.waveforms, {});
    if (!reading.observations.empty())
        clinical::append_record(reading, vitals_record_);
    if (!waveforms.empty()) {
        auto observations = std::exchange(reading.observations, {});
        reading.waveforms = std::move(waveforms);
        clinical::append_record(reading, waves_record_);
        reading.observations = std::move(observations);
    }
    if (vitals_record_.size() > clinical::max_record_size ||
        waves_record_.size() > clinical::max_record_size)
        return Outcome::too_large;
    // The record more likely to be turned away goes first. Where the second one fails the reading
    // is sent again and the first is in the spool twice: the consumer removes it by (source, id,
    // index).
    if (!waves_record_.empty() && !append_record(spool::Lane::waves, waves_record_))
        return Outcome::postponed;
    if (!vitals_record_.empty() && !append_record(spool::Lane::vitals, vitals_record_))
        return Outcome::postponed;
    ++open_readings_;
    open_observations_ += reading.observations.size() + reading.waveforms.size();
    return Outcome::stored;
}

bool ReadingStore::append_record(spool::Lane lane, const base::Bytes& record) {
    MITRAL_FAIL_POINT("intake.append");
    const auto appended = writer_.append(lane, record);
    if (!appended) {
        note_trouble("readings-postponed", appended.error());
        return false;
    }
    open_bytes_ += record.size();
    return true;
}

base::Status ReadingStore::commit() {
    open_bytes_ = 0;
    const auto readings = std::exchange(open_readings_, 0);
    const auto observations = std::exchange(open_observations_, 0);
    MITRAL_FAIL_POINT("intake.commit");
    auto committed = writer_.commit();
    if (!committed) {
        recent_.group_failed();
        note_trouble("commit-failed", committed.error());
        group_in_trouble_ = false;
        return committed;
    }
    MITRAL_FAIL_POINT("intake.committed");
    recent_.group_committed();
    counters_.readings += readings;
    counters_.observations += observations;
    // A spool that takes some readings and turns others away is still in trouble.
    if (!std::exchange(group_in_trouble_, false) && std::exchange(in_trouble_, false))
        base::log(base::Severity::notice, "readings-taken-again");
    return committed;
}

void ReadingStore::note_trouble(const char* event, const base::Error& error) {
    trouble_ = error.code.message();
    group_in_trouble_ = true;
    if (!std::exchange(in_trouble_, true))
        base::log(base::Severity::error, event, {{"reason", error.message()}});
}

}  // namespace mitral::intake
