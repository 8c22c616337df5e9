// Checkpoints and attestations: what a trust zone signs of its own state.
#include "attest/read.hpp"
#include "base/errors.hpp"
#include "vault/custody_suite.hpp"

namespace mitral::test {
namespace {

using base::BaseError;
using vault::OrderKind;
using vault::VaultError;

attest::Report two_lanes() {
    attest::Report report;
    report.log_entries = 12;
    report.log_head.fill(9);
    for (const auto* name : {"lines/alerts", "lines/vitals"}) {
        attest::LaneReport lane{name, 77, 1, 400, {}, 2};
        lane.hash.fill(3);
        report.lanes.push_back(lane);
    }
    return report;
}

class Evidence : public CustodySuite {
  protected:
    void SetUp() override { key = attest().state.attestation_key; }
    [[nodiscard]] attest::Attestation attest() {
        attest::Nonce nonce{};
        base::fill_random(nonce);
        const auto bytes = bench.backend().attest(nonce);
        EXPECT_TRUE(bytes) << bytes.error().message();
        return *attest::read_first_attestation(*bytes, nonce);
    }
    [[nodiscard]] attest::Checkpoint checkpoint(const attest::Report& report = {}) {
        const auto bytes = bench.backend().checkpoint(encode(report));
        EXPECT_TRUE(bytes) << bytes.error().message();
        const auto read = attest::read_checkpoint(*bytes, key);
        EXPECT_TRUE(read) << read.error().message();
        return read.value_or(attest::Checkpoint{});
    }
    base::P256PublicKey key{};
};
MITRAL_FOR_EVERY_BACKEND(Evidence);

TEST_P(Evidence, SaysWhatTheZoneKnowsAndWhatItWasTold) {
    MITRAL_PROVES("T-ROLL-01", "CR 3.9");
    const auto before = checkpoint();
    EXPECT_EQ(before.state.custody, attest::Custody::unprovisioned);
    EXPECT_EQ(before.state.registration_id, "");
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.mint());
    ASSERT_TRUE(bench.mint());
    EXPECT_FALSE(bench.mint("other.example"));
    const auto now = checkpoint(two_lanes());
    EXPECT_EQ(now.report, two_lanes());
    EXPECT_EQ(now.state.custody, attest::Custody::ready);
    EXPECT_EQ(now.state.registration_id, registration_id);
    EXPECT_EQ(now.state.mints, bench.status().mint_count);
    EXPECT_EQ(now.state.refusals, before.state.refusals + 1);
    EXPECT_EQ(now.state.time_floor_s, start_s);
    EXPECT_EQ(now.state.signed_time_age_s, -1);
    EXPECT_EQ(now.state.order_counter, bench.next_counter - 1);
    EXPECT_EQ(now.state.epoch, 0U);
    EXPECT_FALSE(now.state.doubtful);
    const auto attested = attest();
    EXPECT_EQ(attested.state.mints, now.state.mints);
    EXPECT_EQ(attested.state.checkpoint, now.state.checkpoint);
    EXPECT_EQ(attested.state.boot_id, now.state.boot_id);
    EXPECT_EQ(attested.state.unit_id, now.state.unit_id);
}

TEST_P(Evidence, IsGivenInEveryStateUnderOneKey) {
    MITRAL_PROVES("T-ROLL-01");
    ASSERT_TRUE(bench.provision());
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::quarantine)));
    EXPECT_EQ(checkpoint().state.custody, attest::Custody::quarantined);
    ASSERT_TRUE(bench.execute(bench.order(OrderKind::wipe)));
    EXPECT_EQ(checkpoint().state.custody, attest::Custody::wiped);
    EXPECT_EQ(checkpoint().state.registration_id, "");
    bench.restart();
    EXPECT_EQ(checkpoint().state.custody, attest::Custody::wiped);
    EXPECT_EQ(attest().state.attestation_key, key);
}

TEST_P(Evidence, NumbersRiseAcrossStartsAndBootsDiffer) {
    MITRAL_PROVES("T-ROLL-01", "T-ID-02");
    std::uint64_t last = 0;
    std::vector<attest::BootId> boots;
    for (int boot = 0; boot < 3; ++boot) {
        EXPECT_GE(attest().state.checkpoint, last);
        for (int i = 0; i < 3; ++i) {
            const auto now = checkpoint().state;
            EXPECT_GT(now.checkpoint, last);
            last = now.checkpoint;
            if (i == 0) {
                EXPECT_EQ(std::count(boots.begin(), boots.end(), now.boot_id), 0);
                boots.push_back(now.boot_id);
            }
            EXPECT_EQ(now.boot_id, boots.back());
        }
        bench.restart();
    }
    EXPECT_LE(last, 3U + 3U * 3U * EVIDENCE_COUNTER_STEP);
}

TEST_P(Evidence, AnAlteredOneIsNotAuthentic) {
    MITRAL_PROVES("T-ROLL-01", "CR 3.1");
    const auto good = bench.backend().checkpoint(encode(two_lanes()));
    ASSERT_TRUE(good);
    ASSERT_TRUE(attest::read_checkpoint(*good, key));  // negative control
    for (std::size_t at = 0; at < good->size(); ++at) {
        auto altered = *good;
        altered[at] ^= 1;
        EXPECT_FALSE(attest::read_checkpoint(altered, key)) << at;
    }
    for (std::size_t size = 0; size < good->size(); ++size)
        EXPECT_FALSE(attest::read_checkpoint(base::ByteView(*good).first(size), key));
    Bench other(GetParam());
    EXPECT_EQ(
        code_of(attest::read_checkpoint(*other.backend().checkpoint(encode(two_lanes())), key)),
        BaseError::not_authentic);
}

TEST_P(Evidence, OfAnotherKindOrNonceIsRefused) {
    MITRAL_PROVES("T-ROLL-01");
    const attest::Nonce nonce{1};
    const auto attestation = bench.backend().attest(nonce);
    ASSERT_TRUE(attestation);
    EXPECT_TRUE(attest::read_attestation(*attestation, key, nonce));  // negative control
    EXPECT_EQ(code_of(attest::read_attestation(*attestation, key, attest::Nonce{2})),
              BaseError::not_authentic);
    EXPECT_EQ(code_of(attest::read_checkpoint(*attestation, key)), BaseError::malformed);
    EXPECT_EQ(code_of(attest::read_attestation(*bench.backend().checkpoint(encode(two_lanes())),
                                               key, nonce)),
              BaseError::malformed);
}

// What is no report gets no signature and no number, and is counted.
TEST_P(Evidence, OfNoReportIsRefused) {
    MITRAL_PROVES("T-ROLL-01", "T-KEY-04", "T-SW-05");
    const auto expect_refused = [this](const attest::Report& report) {
        EXPECT_EQ(code_of(bench.backend().checkpoint(encode(report))), VaultError::malformed);
    };
    const auto before = bench.status().refusal_count;
    auto bad = two_lanes();
    bad.log_entries = 0;
    expect_refused(bad);
    bad = two_lanes();
    bad.log_head = {};
    expect_refused(bad);
    bad = two_lanes();
    std::swap(bad.lanes[0], bad.lanes[1]);
    expect_refused(bad);
    bad = two_lanes();
    bad.lanes[1].name = bad.lanes[0].name;
    expect_refused(bad);
    for (const std::string name :
         {"", "Lines", "a b", "a\n", "abcdefghijklmnopqrstuvwxyz1234567"}) {
        bad = two_lanes();
        bad.lanes.resize(1);
        bad.lanes[0].name = name;
        expect_refused(bad);
    }
    bad = two_lanes();
    bad.lanes[0].first = bad.lanes[0].end + 1;
    expect_refused(bad);
    bad = {};
    for (char letter = 'a'; letter <= 'q'; ++letter)
        bad.lanes.push_back({std::string(1, letter), 1, 0, 0, {}, 0});
    expect_refused(bad);
    EXPECT_EQ(bench.status().refusal_count, before + 11);
    for (const auto& junk : {base::Bytes{}, base::Bytes(40, 0), base::Bytes(4000, 0)})
        EXPECT_EQ(code_of(bench.backend().checkpoint(junk)), VaultError::malformed);
    bad.lanes.pop_back();
    EXPECT_EQ(checkpoint(bad).report.lanes.size(), 16U);  // negative control, at the bound
    EXPECT_EQ(checkpoint(two_lanes()).report, two_lanes());
}

}  // namespace
}  // namespace mitral::test
