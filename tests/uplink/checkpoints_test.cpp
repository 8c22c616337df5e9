#include "uplink/checkpoints.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "attest/evidence.h"
#include "azure/topics.hpp"
#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "spool/acknowledgement.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;
using nlohmann::json;

constexpr Milliseconds interval{300'000};

class CheckpointsTest : public testing::Test {
  protected:
    CheckpointsTest() { restart(); }

    // A process that finds what is stored.
    void restart() {
        checkpoints_.emplace(clock_, interval, [this](const attest::Report& report) {
            reports_.push_back(report);
            return refuses_ ? base::Result<base::Bytes>(
                                  base::fail(base::BaseError::not_supported, "scripted"))
                            : base::Result<base::Bytes>(
                                  base::to_bytes("signed " + std::to_string(reports_.size())));
        });
        checkpoints_->add_lane({"lines", spool::Lane::vitals}, file());
    }
    std::string file() const { return directory_.path() + "/lines-vitals.ack"; }
    void store(std::uint64_t stream, std::uint64_t sequence) {
        ASSERT_TRUE(spool::write_acknowledgement(file(), {stream, sequence}));
    }
    static Outgoing message(std::uint64_t sequence, const std::string& body = "{}") {
        MessageProperties properties({"lines", spool::Lane::vitals});
        return {properties.bag({0xabcd, sequence},
                               {"application/json", "utf-8", "mitral.vitals/1", ""}, "bed-1"),
                base::to_bytes(body)};
    }
    void deliver(std::uint64_t sequence) {
        checkpoints_->acknowledged(checkpoints_->published(0, message(sequence)));
    }
    // What goes out now; empty: nothing.
    std::string send() {
        if (!checkpoints_->due())
            return {};
        const Outgoing* front = checkpoints_->front();
        if (front == nullptr)
            return {};
        last_ = *front;
        number_ = checkpoints_->pop_front();
        return std::string(base::as_text(last_.body));
    }
    std::string id() const {
        return *azure::find_property(azure::decode_bag(last_.bag).value(), "$.mid")->value;
    }

    test::TemporaryDirectory directory_;
    base::ManualClock clock_{base::WallTime{1'790'000'000'000}};
    bool refuses_ = false;
    std::vector<attest::Report> reports_;
    std::optional<Checkpoints> checkpoints_;
    Outgoing last_;
    std::uint64_t number_ = 0;
};

TEST_F(CheckpointsTest, ALinkBeginsWithOneAndTimeBringsTheNext) {
    MITRAL_PROVES("T-ROLL-01");
    checkpoints_->link_up();
    EXPECT_NE(send(), "");
    EXPECT_EQ(send(), "");
    clock_.advance(interval - Milliseconds(1));
    EXPECT_EQ(send(), "");
    clock_.advance(Milliseconds(1));
    EXPECT_NE(send(), "");
    checkpoints_->link_lost();
    checkpoints_->link_up();
    EXPECT_NE(send(), "");
}

TEST_F(CheckpointsTest, ItSaysWhatTheHubHasAcknowledgedSinceTheLastOne) {
    MITRAL_PROVES("T-ROLL-01");
    store(0xabcd, 40);
    restart();
    checkpoints_->link_up();
    ASSERT_NE(send(), "");
    EXPECT_EQ(reports_.back().lanes.at(0).first, 41U);
    EXPECT_EQ(reports_.back().lanes.at(0).end, 41U);

    deliver(41);
    (void)checkpoints_->published(0, message(51));  // not acknowledged
    store(0xabcd, 50);
    clock_.advance(interval);
    const auto body = json::parse(send());
    const auto& lane = reports_.back().lanes.at(0);
    EXPECT_EQ(lane.name, "lines/vitals");
    EXPECT_EQ(lane.stream, 0xabcdU);
    EXPECT_EQ(lane.first, 41U);
    EXPECT_EQ(lane.end, 51U);
    EXPECT_EQ(body["schema"], "mitral.checkpoint/1");
    EXPECT_EQ(body["checkpoint"], base::to_base64(base::as_bytes("signed 2")));
    const std::string line =
        "000000000000abcd-41 " + base::to_base64(base::sha256(base::as_bytes("{}")));
    EXPECT_EQ(body["lanes"][0]["messages"], json::array({line}));
    EXPECT_EQ(lane.hash, base::sha256(base::as_bytes(line + "\n0\n")));

    clock_.advance(interval);  // nothing since
    EXPECT_EQ(json::parse(send())["lanes"][0]["messages"], json::array());
    EXPECT_EQ(reports_.back().lanes.at(0).first, 51U);
}

TEST_F(CheckpointsTest, OneThatIsNotAcknowledgedGoesAgainAsItWas) {
    MITRAL_PROVES("T-DATA-01");
    checkpoints_->link_up();
    const auto first = send();
    const auto first_id = id();
    checkpoints_->link_lost();
    checkpoints_->link_up();
    EXPECT_EQ(send(), first);  // before a new one
    EXPECT_EQ(id(), first_id);
    checkpoints_->checkpoint_acknowledged(number_);
    EXPECT_NE(send(), "");
    EXPECT_NE(id(), first_id);
    checkpoints_->checkpoint_acknowledged(number_);
    EXPECT_EQ(checkpoints_->delivered(), 2U);
    checkpoints_->link_lost();
    EXPECT_EQ(send(), "");  // negative control: both are there
}

TEST_F(CheckpointsTest, ARefusalIsToldOnceAndHoldsNothingUp) {
    MITRAL_PROVES("T-ROLL-01");
    refuses_ = true;
    checkpoints_->link_up();
    testing::internal::CaptureStderr();
    for (int minute = 0; minute < 5; ++minute) {
        EXPECT_EQ(send(), "");
        EXPECT_FALSE(checkpoints_->due());
        clock_.advance(Checkpoints::after_refusal);
    }
    const auto log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(log.find("checkpoint-refused"), log.rfind("checkpoint-refused"));
    EXPECT_NE(log.find("checkpoint-refused"), std::string::npos);
    EXPECT_EQ(reports_.size(), 5U);
    (void)send();
    checkpoints_->link_up();  // asks at once
    EXPECT_TRUE(checkpoints_->due());
    EXPECT_NE(checkpoints_->trouble(), "");
    store(0xabcd, 9);
    deliver(1);  // what was delivered meanwhile is in the next one
    refuses_ = false;
    EXPECT_EQ(json::parse(send())["lanes"][0]["messages"].size(), 1U);
    EXPECT_EQ(checkpoints_->trouble(), "");
}

TEST_F(CheckpointsTest, ManyMessagesMakeOneDueAndAreBounded) {
    checkpoints_->link_up();
    store(0xabcd, 1);
    ASSERT_NE(send(), "");
    for (std::uint64_t i = 2; i < 2 + Checkpoints::due_lines; ++i)
        deliver(i);
    EXPECT_EQ(send(), "");  // not more often than vaults sign
    clock_.advance(Checkpoints::least_interval);
    for (std::uint64_t i = 0; i < DeliveryList::max_lines; ++i)
        deliver(10'000'000'000'000'000'000U + i);
    const auto text = send();
    const auto lane = json::parse(text)["lanes"][0];
    EXPECT_EQ(lane["messages"].size(), DeliveryList::max_lines);
    EXPECT_EQ(lane["unlisted"], Checkpoints::due_lines);
    EXPECT_LE(text.size() + 4096, 240U * 1024U);  // and the checkpoint with 16 lanes
}

TEST_F(CheckpointsTest, TheEndSendsTheLastMessagesOnce) {
    checkpoints_->link_up();
    store(0xabcd, 1);
    ASSERT_NE(send(), "");
    deliver(2);
    checkpoints_->finish();
    EXPECT_EQ(json::parse(send())["lanes"][0]["messages"].size(), 1U);
    checkpoints_->finish();
    EXPECT_EQ(send(), "");
}

TEST_F(CheckpointsTest, ALaneThatWasMadeAnewOrRolledBackIsSaidAsItIs) {
    MITRAL_PROVES("T-ROLL-01");
    store(0xabcd, 50);
    restart();
    checkpoints_->link_up();
    ASSERT_NE(send(), "");
    store(0xabcd, 20);
    clock_.advance(interval);
    ASSERT_NE(send(), "");
    EXPECT_EQ(reports_.back().lanes.at(0).first, 21U);
    EXPECT_EQ(reports_.back().lanes.at(0).end, 21U);
    store(0x1234, 5);
    clock_.advance(interval);
    ASSERT_NE(send(), "");
    EXPECT_EQ(reports_.back().lanes.at(0).stream, 0x1234U);
    EXPECT_EQ(reports_.back().lanes.at(0).end, 6U);
}

TEST_F(CheckpointsTest, AReportHoldsNoMoreThanATrustZoneTakes) {
    checkpoints_->add_lane({"Not_A_Name", spool::Lane::vitals}, directory_.path() + "/other.ack");
    ASSERT_TRUE(spool::write_acknowledgement(directory_.path() + "/other.ack", {1, 1}));
    for (int i = 0; i < 20; ++i) {
        const auto other = directory_.path() + "/" + std::to_string(i);
        ASSERT_TRUE(spool::write_acknowledgement(other, {1, 1}));
        checkpoints_->add_lane({"s" + std::to_string(19 - i), spool::Lane::waves}, other);
    }
    checkpoints_->link_up();
    ASSERT_NE(send(), "");
    const auto report = attest::encode(reports_.back());
    EXPECT_TRUE(evidence_is_report(report.data(), report.size()));
    EXPECT_EQ(checkpoints_->published(1, message(1)), 0U);
}

}  // namespace
}  // namespace mitral::uplink
