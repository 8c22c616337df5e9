// The layout, against bytes that another implementation wrote.
#include "attest/read.hpp"

#include <gtest/gtest.h>

#include "attest/vector.hpp"
#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::test {
namespace {

using base::BaseError;

template <std::size_t Size>
std::array<std::uint8_t, Size> filled(std::uint8_t with) {
    std::array<std::uint8_t, Size> bytes{};
    bytes.fill(with);
    return bytes;
}

class Vectors : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto bytes = *base::from_hex(vector_key);
        std::copy(bytes.begin(), bytes.end(), key.begin());
    }
    base::P256PublicKey key{};
    base::Bytes checkpoint = *base::from_hex(vector_checkpoint);
    base::Bytes attestation = *base::from_hex(vector_attestation);
    attest::Nonce nonce = filled<32>(0x66);
};

void expect_the_unit(const attest::State& state, const base::P256PublicKey& key) {
    EXPECT_EQ(state.attestation_key, key);
    EXPECT_EQ(state.unit_id, filled<32>(0x11));
    EXPECT_EQ(state.boot_id, filled<16>(0x22));
    EXPECT_EQ(state.checkpoint, 257U);
    EXPECT_EQ(state.mints, 1000U);
    EXPECT_EQ(state.refusals, 3U);
    EXPECT_EQ(state.time_floor_s, 1'780'000'000);
    EXPECT_EQ(state.signed_time_age_s, 90);
    EXPECT_EQ(state.order_counter, 1'779'999'999'000U);
    EXPECT_EQ(state.epoch, 0U);
    EXPECT_EQ(state.custody, attest::Custody::ready);
    EXPECT_FALSE(state.doubtful);
    EXPECT_EQ(state.registration_id, "unit-0042");
}

attest::Report the_report() {
    attest::Report report{12, filled<32>(0x33), {}};
    report.lanes.push_back({"lines/alerts", 5, 1, 4, filled<32>(0x44), 0});
    report.lanes.push_back({"lines/vitals", 6, 100, 900, filled<32>(0x55), 7});
    return report;
}

TEST_F(Vectors, ReadAsWhatTheySay) {
    MITRAL_PROVES("T-ROLL-01");
    const auto read = attest::read_checkpoint(checkpoint, key);
    ASSERT_TRUE(ok(read));
    expect_the_unit(read->state, key);
    EXPECT_EQ(read->report, the_report());
    const auto attested = attest::read_attestation(attestation, key, nonce);
    ASSERT_TRUE(ok(attested));
    expect_the_unit(attested->state, key);
    EXPECT_EQ(attested->nonce, nonce);
    EXPECT_TRUE(ok(attest::read_first_attestation(attestation, nonce)));
}

TEST_F(Vectors, AreWrittenAgainFromTheSameFields) {
    const auto read = attest::read_checkpoint(checkpoint, key);
    ASSERT_TRUE(ok(read));
    evidence_state state{};
    std::copy(key.begin(), key.end(), state.attestation_key);
    std::fill_n(state.unit_id, 32, std::uint8_t{0x11});
    std::fill_n(state.boot_id, 16, std::uint8_t{0x22});
    state.checkpoint = 257;
    state.mints = 1000;
    state.refusals = 3;
    state.time_floor_s = 1'780'000'000;
    state.signed_time_age_s = 90;
    state.order_counter = 1'779'999'999'000;
    state.custody = 1;
    const auto id = base::as_bytes("unit-0042");
    state.registration_id = id.data();
    state.registration_id_size = id.size();
    const auto report = encode(the_report());
    base::Bytes out(EVIDENCE_MAX_SIZE);
    const auto expect_written = [&out](std::size_t size, base::ByteView signed_bytes) {
        ASSERT_EQ(size + EVIDENCE_SIGNATURE_SIZE, signed_bytes.size());
        EXPECT_TRUE(std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size),
                               signed_bytes.begin()));
    };
    expect_written(evidence_write_checkpoint(&state, report.data(), report.size(), out.data()),
                   checkpoint);
    expect_written(evidence_write_attestation(&state, nonce.data(), out.data()), attestation);
    state.registration_id_size = EVIDENCE_MAX_ID + 1;
    EXPECT_EQ(evidence_write_attestation(&state, nonce.data(), out.data()), 0U);
}

// Signed by the right key and still no checkpoint: a trust zone that is broken, or another version.
TEST(Evidence, ThatIsSignedButDoesNotParseIsRefused) {
    MITRAL_PROVES("T-ROLL-01");
    const auto pair = *base::p256_new_key();
    const auto signed_over = [&pair](base::Bytes bytes) {
        const auto signature = *base::p256_sign(pair, base::sha256(bytes));
        bytes.insert(bytes.end(), signature.begin(), signature.end());
        return bytes;
    };
    const auto written = [&pair](std::uint8_t custody, base::ByteView key) {
        evidence_state state{};
        (void)pair;
        std::copy(key.begin(), key.end(), state.attestation_key);
        state.custody = custody;
        const auto report = encode(attest::Report{});
        base::Bytes out(EVIDENCE_MAX_SIZE);
        out.resize(evidence_write_checkpoint(&state, report.data(), report.size(), out.data()));
        return out;
    };
    const auto good = written(3, pair.key);
    EXPECT_TRUE(ok(attest::read_checkpoint(signed_over(good), pair.key)));  // negative control
    const auto expect = [&](base::Bytes bytes, BaseError error) {
        EXPECT_TRUE(
            failed_with(attest::read_checkpoint(signed_over(std::move(bytes)), pair.key), error));
    };
    expect(written(4, pair.key), BaseError::malformed);
    auto longer = good;
    longer.push_back(0);
    expect(longer, BaseError::malformed);
    auto shorter = good;
    shorter.pop_back();
    expect(shorter, BaseError::malformed);
    expect(base::Bytes(EVIDENCE_MAX_SIZE, 7), BaseError::malformed);
    expect(written(1, base::p256_new_key()->key), BaseError::not_authentic);
    EXPECT_TRUE(failed_with(attest::read_checkpoint({}, pair.key), BaseError::malformed));
}

TEST(Evidence, WithATextOrTimeThatNoUnitHasIsRefused) {
    MITRAL_PROVES("T-ROLL-01");
    const auto pair = *base::p256_new_key();
    const auto reads = [&pair](std::string_view id, std::int64_t floor_s, std::int64_t age_s) {
        evidence_state state{};
        std::copy(pair.key.begin(), pair.key.end(), state.attestation_key);
        state.registration_id = base::as_bytes(id).data();
        state.registration_id_size = id.size();
        state.time_floor_s = floor_s;
        state.signed_time_age_s = age_s;
        base::Bytes out(EVIDENCE_MAX_SIZE);
        const attest::Nonce nonce{};
        out.resize(evidence_write_attestation(&state, nonce.data(), out.data()));
        const auto signature = *base::p256_sign(pair, base::sha256(out));
        out.insert(out.end(), signature.begin(), signature.end());
        return attest::read_attestation(out, pair.key, nonce).has_value();
    };
    constexpr std::int64_t last_s = 253'402'300'799;
    EXPECT_TRUE(reads("", 0, -1));  // negative controls
    EXPECT_TRUE(reads("unit-0042", last_s, 90));
    EXPECT_FALSE(reads("unit\nall is well", 0, -1));
    EXPECT_FALSE(reads("unit\x1b[2J", 0, -1));
    EXPECT_FALSE(reads("unit", -1, -1));
    EXPECT_FALSE(reads("unit", last_s + 1, -1));
    EXPECT_FALSE(reads("unit", INT64_MIN, -1));
    EXPECT_FALSE(reads("unit", 0, -2));
}

}  // namespace
}  // namespace mitral::test
