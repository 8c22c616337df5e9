// The adapter with the real spool under it: what a sender heard `ok` for is what the uplink reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/crypto.hpp"
#include "clinical/record.hpp"
#include "intake/lines/session.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/reader.hpp"
#include "spool/writer.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::intake {
namespace {

// Wraps a key by writing it down: the vault's part is not what is tested here.
class OpenKeys final : public spool::KeyIssuer, public spool::KeyOpener {
  public:
    base::Result<spool::SegmentKey> new_segment_key() override {
        if (away)
            return base::fail_errno(ECONNREFUSED, "the vault is away");
        base::Bytes key(32);
        base::fill_random(key);
        return spool::SegmentKey{base::Secret(key), key};
    }
    base::Result<base::Secret> open_segment_key(base::ByteView wrapped) override {
        return base::Secret(wrapped);
    }
    bool away = false;
};

class LinesIntoSpool : public ::testing::Test {
  protected:
    void open() {
        session.reset();
        store.reset();
        writer.reset();
        spool::WriterOptions options;
        options.directory = directory.path("spool");
        options.segment_bytes = 64 * 1024;
        auto opened = spool::Writer::open(options, keys, clock);
        ASSERT_TRUE(opened) << opened.error().message();
        writer = std::move(*opened);
        store.emplace(*writer, counters);
        session.emplace(*store, owners, parser, counters);
        send(R"({"schema":"mitral.lines/1","source":"bed-1"})"
             "\n");
    }
    void send(std::string_view text) {
        const auto space = session->space(text.size());
        std::copy(text.begin(), text.end(), reinterpret_cast<char*>(space.data()));
        session->received(text.size(), {{1000}, base::ClockState::synchronised});
    }
    std::string settle() {
        const bool committed = !store->has_open_group() || store->commit().has_value();
        if (session->unsettled())
            session->settle(committed);
        return std::exchange(session->output(), {});
    }
    static std::string line(int number) {
        return R"({"id":")" + std::to_string(number) +
               R"(","obs":[{"code":"MDC_ECG_HEART_RATE","value":)" + std::to_string(number) +
               R"(.50}],"waves":[{"code":"w","unit":"1","rate":250,"scale":1,"samples":[)" +
               std::to_string(number) + "]}]}\n";
    }
    std::vector<clinical::Reading> read(spool::Lane lane) {
        auto reader = spool::LaneReader::open(directory.path("spool"), lane,
                                              directory.path("reader.ack"), keys)
                          .value();
        std::vector<clinical::Reading> readings;
        while (const auto record = reader->next().value()) {
            if (record->kind == spool::RecordKind::data)
                readings.push_back(clinical::decode_record(record->payload).value());
        }
        return readings;
    }

    test::TemporaryDirectory directory;
    OpenKeys keys;
    base::ManualClock clock{base::WallTime{1'767'225'600'000}};
    Counters counters;
    SourceOwners owners;
    LineParser parser;
    std::unique_ptr<spool::Writer> writer;
    std::optional<ReadingStore> store;
    std::optional<Session> session;
};

TEST_F(LinesIntoSpool, WhatWasConfirmedIsReadBack) {
    MITRAL_PROVES("T-DATA-01", "T-DATA-02");
    open();
    for (int i = 1; i <= 1500; ++i) {
        send(line(i));
        if (i % 100 == 0) {
            ASSERT_EQ(settle(), "ok " + std::to_string(i) + "\n");
        }
    }
    const auto vitals = read(spool::Lane::vitals);
    const auto waves = read(spool::Lane::waves);
    ASSERT_EQ(vitals.size(), 1500U);
    ASSERT_EQ(waves.size(), 1500U);
    for (int i = 1; i <= 1500; ++i) {
        const auto& reading = vitals[static_cast<std::size_t>(i) - 1];
        EXPECT_EQ(reading.control_id, std::to_string(i));
        EXPECT_EQ(reading.observations,
                  (std::vector<clinical::Observation>{{0, 147842, "MDC_ECG_HEART_RATE", "/min",
                                                       clinical::Decimal{100 * i + 50, -2}}}));
        EXPECT_TRUE(reading.waveforms.empty());
        EXPECT_EQ(waves[static_cast<std::size_t>(i) - 1].waveforms[0].samples,
                  std::vector<std::int32_t>{i});
        EXPECT_EQ(waves[static_cast<std::size_t>(i) - 1].waveforms[0].index, 1);
    }
}

TEST_F(LinesIntoSpool, AfterARestartNewLinesFollowTheOldOnes) {
    MITRAL_PROVES("T-DATA-01");
    open();
    send(line(1));
    ASSERT_EQ(settle(), "ok 1\n");
    send(line(2));  // never committed, never confirmed: the sender sends it again
    open();
    send(line(2) + line(3));
    ASSERT_EQ(settle(), "ok 2\n");
    std::vector<std::string> ids;
    for (const auto& reading : read(spool::Lane::vitals))
        ids.push_back(reading.control_id);
    EXPECT_THAT(ids, ::testing::ElementsAre("1", "2", "3"));
}

TEST_F(LinesIntoSpool, AWriterThatStopsLeavesNoBatchOpen) {
    MITRAL_PROVES("T-DATA-01");
    open();
    send(line(1) + line(2));
    ASSERT_TRUE(writer->end_batches());
    for (const auto lane : {spool::Lane::vitals, spool::Lane::waves}) {
        auto reader = spool::LaneReader::open(directory.path("spool"), lane,
                                              directory.path("reader.ack"), keys)
                          .value();
        std::vector<spool::Record> records;
        while (auto record = reader->next().value())
            records.push_back(std::move(*record));
        ASSERT_EQ(records.size(), 3U);
        EXPECT_FALSE(records[1].ends_batch);
        EXPECT_EQ(records[2].kind, spool::RecordKind::boundary);
        EXPECT_TRUE(records[2].ends_batch);
    }
    ASSERT_TRUE(writer->end_batches());  // nothing is open any more
    EXPECT_EQ(writer->usage(spool::Lane::vitals).last_sequence, 3U);
}

TEST_F(LinesIntoSpool, WithoutTheVaultLinesArePostponedAndThenTaken) {
    MITRAL_PROVES("T-DATA-01");
    open();
    keys.away = true;
    std::vector<int> confirmed;
    int next = 1;
    bool postponed = false;
    // Until the segment is full and the next one would need a key.
    for (; next <= 5000 && !postponed; ++next) {
        send(line(next));
        const auto said = settle();
        postponed = said.starts_with("later ");
        if (!postponed)
            confirmed.push_back(next);
        ASSERT_TRUE(said.ends_with("ok " + std::to_string(next) + "\n")) << said;
    }
    ASSERT_TRUE(postponed);
    keys.away = false;
    clock.advance(
        base::Milliseconds(60'000));  // the spool does not ask a silent vault all the time
    send(line(next - 1));
    ASSERT_EQ(settle(), "ok " + std::to_string(next) + "\n");
    confirmed.push_back(next - 1);
    std::vector<int> stored;
    for (const auto& reading : read(spool::Lane::vitals))
        stored.push_back(std::stoi(reading.control_id));
    EXPECT_EQ(stored, confirmed);
}

}  // namespace
}  // namespace mitral::intake
