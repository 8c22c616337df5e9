// What of an answer is believed: each reason to refuse one, and the good one beside it.
#include <gtest/gtest.h>

#include <optional>

#include "roughtime/clock.h"
#include "roughtime/openssl_crypto.hpp"
#include "roughtime/time_authority.hpp"
#include "support/proves.hpp"

namespace mitral::test {
namespace {

constexpr std::int64_t now_s = 1'780'000'000;

class Answers : public ::testing::Test {
  protected:
    void SetUp() override { ask(); }
    void ask() {
        base::fill_random(nonce);
        ASSERT_EQ(roughtime_request(&crypto, authority.key().data(), nonce.data(), request.data(),
                                    leaf.data()),
                  ROUGHTIME_OK);
    }
    [[nodiscard]] roughtime_result verify(base::ByteView answer) {
        const base::Bytes exact(answer.begin(), answer.end());  // so that a sanitizer sees its end
        return roughtime_verify(&crypto, authority.key().data(), nonce.data(), leaf.data(),
                                exact.data(), exact.size(), &time);
    }
    [[nodiscard]] roughtime_result verify(const TimeAnswer& plan) {
        return verify(authority.answer(request, plan));
    }

    roughtime_crypto crypto = openssl_crypto();
    TimeAuthority authority;
    std::array<std::uint8_t, ROUGHTIME_NONCE_SIZE> nonce{};
    std::array<std::uint8_t, ROUGHTIME_HASH_SIZE> leaf{};
    base::Bytes request = base::Bytes(ROUGHTIME_REQUEST_SIZE);
    roughtime_time time{};
    TimeAnswer good{.midpoint_s = now_s};
};

TEST_F(Answers, ThatAreGoodTellTheTime) {
    MITRAL_PROVES("T-TIME-01");
    for (const std::uint32_t version : {1U, 0x8000000cU})
        for (unsigned depth = 0; depth <= 20; depth += 5)
            for (const std::uint32_t index : {0U, 1U, 0xfffffU}) {
                auto plan = good;
                plan.version = version;
                plan.depth = depth;
                plan.leaf = index;
                ASSERT_EQ(verify(plan), ROUGHTIME_OK) << depth << ' ' << index;
                EXPECT_EQ(time.midpoint_s, now_s);
                EXPECT_EQ(time.radius_s, 3U);
            }
    auto exact = good;
    exact.not_before_s = exact.not_after_s = now_s;
    exact.radius_s = ROUGHTIME_MAX_RADIUS_S;
    EXPECT_EQ(verify(exact), ROUGHTIME_OK);
}

TEST_F(Answers, ToAnotherQuestionAreRefused) {
    MITRAL_PROVES("T-TIME-01");
    const auto old = authority.answer(request, good);
    EXPECT_EQ(verify(old), ROUGHTIME_OK);
    ask();
    EXPECT_EQ(verify(old), ROUGHTIME_OTHER_REQUEST);
    // Our nonce written into it does not make it ours.
    auto plan = good;
    plan.alter = [this](RoughtimeFields& answer) {
        answer["NONC"] = base::Bytes(nonce.begin(), nonce.end());
        answer["PATH"][0] ^= 1;
    };
    EXPECT_EQ(verify(plan), ROUGHTIME_OTHER_REQUEST);
    plan.alter = [](RoughtimeFields& answer) { answer["NONC"][0] ^= 1; };
    EXPECT_EQ(verify(plan), ROUGHTIME_OTHER_REQUEST);
    plan.alter = [](RoughtimeFields& answer) { answer["INDX"][3] = 1; };
    EXPECT_EQ(verify(plan), ROUGHTIME_OTHER_REQUEST);
}

TEST_F(Answers, OfAnotherAuthorityAreRefused) {
    MITRAL_PROVES("T-TIME-01");
    const TimeAuthority stranger;
    EXPECT_EQ(verify(stranger.answer(request, good)), ROUGHTIME_NOT_AUTHENTIC);
    auto plan = good;
    plan.alter = [](RoughtimeFields& answer) { answer["SIG"][5] ^= 1; };
    EXPECT_EQ(verify(plan), ROUGHTIME_NOT_AUTHENTIC);
    // A key that nobody delegated to.
    plan.alter = {};
    plan.alter_delegation = [&](RoughtimeFields& dele) {
        dele["PUBK"] = {stranger.key().begin(), stranger.key().end()};
    };
    EXPECT_EQ(verify(plan), ROUGHTIME_NOT_AUTHENTIC);
}

TEST_F(Answers, OutsideTheDelegationAreRefused) {
    MITRAL_PROVES("T-TIME-01");
    auto plan = good;
    plan.not_after_s = now_s - 1;
    EXPECT_EQ(verify(plan), ROUGHTIME_DELEGATION_EXPIRED);
    plan = good;
    plan.not_before_s = now_s + 1;
    EXPECT_EQ(verify(plan), ROUGHTIME_DELEGATION_EXPIRED);
}

TEST_F(Answers, ThatKnowTheTimeTooBadlyAreRefused) {
    auto plan = good;
    plan.radius_s = ROUGHTIME_MAX_RADIUS_S + 1;
    EXPECT_EQ(verify(plan), ROUGHTIME_RADIUS_REFUSED);
    plan = good;
    plan.midpoint_s = 253402300800;
    plan.not_after_s = plan.midpoint_s;
    EXPECT_EQ(verify(plan), ROUGHTIME_MALFORMED);
}

TEST_F(Answers, WithoutAFieldOrInAnotherVersionAreMalformed) {
    MITRAL_PROVES("T-SW-05");
    for (const char* tag : {"SIG", "NONC", "TYPE", "PATH", "SREP", "CERT", "INDX"}) {
        auto plan = good;
        plan.alter = [&](RoughtimeFields& answer) { answer.erase(tag); };
        EXPECT_EQ(verify(plan), ROUGHTIME_MALFORMED) << tag;
        plan.alter = [&](RoughtimeFields& answer) { answer[tag].resize(answer[tag].size() + 4); };
        EXPECT_NE(verify(plan), ROUGHTIME_OK) << tag;
    }
    for (const char* tag : {"VER", "RADI", "MIDP", "ROOT"}) {
        auto plan = good;
        plan.alter_response = [&](RoughtimeFields& srep) { srep.erase(tag); };
        EXPECT_EQ(verify(plan), ROUGHTIME_MALFORMED) << tag;
    }
    for (const char* tag : {"MINT", "MAXT", "PUBK"}) {
        auto plan = good;
        plan.alter_delegation = [&](RoughtimeFields& dele) { dele.erase(tag); };
        EXPECT_EQ(verify(plan), ROUGHTIME_MALFORMED) << tag;
    }
    auto plan = good;
    plan.version = 2;
    EXPECT_EQ(verify(plan), ROUGHTIME_MALFORMED);
    plan = good;
    plan.alter = [](RoughtimeFields& answer) { answer["TYPE"][0] = 0; };  // a request's
    EXPECT_EQ(verify(plan), ROUGHTIME_MALFORMED);
    // What later versions add is no reason.
    plan.alter = [](RoughtimeFields& answer) { answer["ZYXW"] = base::Bytes(8, 1); };
    EXPECT_EQ(verify(plan), ROUGHTIME_OK);
}

TEST_F(Answers, AlteredOrCutAnywhereAreRefused) {
    MITRAL_PROVES("T-SW-05", "T-TIME-01");
    const auto whole = authority.answer(request, good);
    ASSERT_EQ(verify(whole), ROUGHTIME_OK);
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto altered = whole;
        altered[at] ^= 0x04;
        EXPECT_NE(verify(altered), ROUGHTIME_OK) << at;
    }
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_EQ(verify(base::ByteView(whole).first(size)), ROUGHTIME_MALFORMED) << size;
}

class Clocks : public Answers {
  protected:
    void SetUp() override { open_question(0); }
    void open_question(std::uint64_t at_ms) {
        base::fill_random(nonce);
        ASSERT_EQ(roughtime_ask(&clock, &crypto, authority.key().data(), nonce.data(), at_ms,
                                request.data()),
                  ROUGHTIME_OK);
    }
    [[nodiscard]] roughtime_result take(const base::Bytes& answer, std::uint64_t at_ms,
                                        std::int64_t floor_s = 0) {
        return roughtime_take(&clock, &crypto, authority.key().data(), answer.data(), answer.size(),
                              at_ms, floor_s);
    }
    [[nodiscard]] std::optional<std::int64_t> now(std::uint64_t at_ms) const {
        std::int64_t earliest = 0;
        return roughtime_now(&clock, at_ms, &earliest) ? std::optional(earliest) : std::nullopt;
    }
    roughtime_clock clock{};
};

TEST_F(Clocks, CarryATimeOnUntilItIsStale) {
    MITRAL_PROVES("T-TIME-01");
    constexpr std::uint64_t day_ms = 86'400'000;
    EXPECT_FALSE(now(0));
    EXPECT_EQ(roughtime_age_s(&clock, 0), -1);
    ASSERT_EQ(take(authority.answer(request, good), 2'000), ROUGHTIME_OK);
    EXPECT_EQ(now(2'000), now_s - 3);
    EXPECT_EQ(now(12'000), now_s - 3 + 9);  // never ahead: the clock may run fast
    EXPECT_EQ(now(2'000 + day_ms), now_s - 3 + 86'400 - 18);
    EXPECT_FALSE(now(2'001 + day_ms));
    EXPECT_EQ(roughtime_age_s(&clock, 62'000), 60);
    EXPECT_FALSE(now(1'999));  // a clock that went back is none
}

TEST_F(Clocks, TakeAnAnswerOnceAndInTime) {
    MITRAL_PROVES("T-TIME-01");
    const auto answer = authority.answer(request, good);
    EXPECT_EQ(take(answer, 60'001), ROUGHTIME_TOO_LATE);
    EXPECT_EQ(take(authority.answer(request, TimeAnswer{.midpoint_s = now_s, .radius_s = 61}), 10),
              ROUGHTIME_RADIUS_REFUSED);
    EXPECT_EQ(take(answer, 60'000), ROUGHTIME_OK);  // a bad one before it spoilt nothing
    EXPECT_EQ(take(answer, 60'000), ROUGHTIME_TOO_LATE);
    open_question(61'000);
    EXPECT_EQ(take(answer, 61'000), ROUGHTIME_OTHER_REQUEST);
}

TEST_F(Clocks, NeverGoBackBeforeTheFloor) {
    MITRAL_PROVES("T-TIME-01");
    const auto answer = authority.answer(request, good);
    EXPECT_EQ(take(answer, 0, now_s + 4), ROUGHTIME_BEFORE_FLOOR);
    EXPECT_FALSE(now(0));
    EXPECT_EQ(take(answer, 0, now_s + 3), ROUGHTIME_OK);  // within what the authority claims
    EXPECT_EQ(now(0), now_s + 3);
}

}  // namespace
}  // namespace mitral::test
