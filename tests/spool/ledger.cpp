#include "spool/ledger.hpp"

#include <gtest/gtest.h>

#include "spool/gap.hpp"

namespace mitral::spool::test {

void Ledger::delivered(const Record& record) {
    const auto [entry, fresh] = delivered_.insert({record.id.sequence, record});
    if (!fresh) {
        EXPECT_EQ(entry->second.payload, record.payload)
            << "number " << record.id.sequence << " reused";
        EXPECT_EQ(entry->second.kind, record.kind);
        EXPECT_EQ(entry->second.ends_batch, record.ends_batch);
        EXPECT_EQ(entry->second.id.stream, record.id.stream);
    }
    if (record.kind != RecordKind::gap)
        return;
    const auto gap = decode_gap(record.payload);
    ASSERT_TRUE(gap);
    ASSERT_LT(gap->last_sequence - gap->first_sequence, 1'000'000U);
    for (auto sequence = gap->first_sequence; sequence <= gap->last_sequence; ++sequence)
        gaps_.insert(sequence);
}

void Ledger::expect_complete(const std::string& where) const {
    for (const auto& [sequence, payload] : committed_) {
        const auto found = delivered_.find(sequence);
        if (found == delivered_.end()) {
            EXPECT_TRUE(gaps_.contains(sequence)) << where << ": lost record " << sequence;
            continue;
        }
        EXPECT_EQ(found->second.kind, RecordKind::data) << where << ": record " << sequence;
        EXPECT_EQ(base::as_text(found->second.payload), payload)
            << where << ": record " << sequence;
    }
}

void Ledger::expect_exact(std::uint64_t last) const {
    for (std::uint64_t sequence = 1; sequence <= last; ++sequence)
        EXPECT_NE(delivered_.contains(sequence), gaps_.contains(sequence)) << "number " << sequence;
    EXPECT_FALSE(gaps_.contains(last + 1));
}

}  // namespace mitral::spool::test
