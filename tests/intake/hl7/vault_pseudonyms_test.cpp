#include "intake/hl7/vault_pseudonyms.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "base/local_socket.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"
#include "vault/errors.hpp"

namespace mitral::intake::hl7 {
namespace {

using vault::VaultError;

class VaultPseudonymsTest : public ::testing::Test {
  protected:
    // Answers with a pseudonym that begins with the number of the question.
    [[nodiscard]] AskVault counting() {
        return [this](const vault::Patient& patient) -> base::Result<vault::Pseudonym> {
            ++questions;
            asked = patient;
            clock.advance(takes);
            if (failure != VaultError{})
                return base::fail(failure, "scripted");
            vault::Pseudonym answer{};
            answer[0] = static_cast<std::uint8_t>(questions >> 8);
            answer[1] = static_cast<std::uint8_t>(questions);
            return answer;
        };
    }
    base::ManualClock clock{base::WallTime{1'780'000'000'000}};
    base::Milliseconds takes{};
    VaultError failure{};
    int questions = 0;
    vault::Patient asked;
};

TEST_F(VaultPseudonymsTest, APatientIsAskedForOnce) {
    VaultPseudonyms pseudonyms(counting(), clock);
    const auto first = pseudonyms.of("12345", "HOSP");
    ASSERT_TRUE(first);
    EXPECT_EQ(asked, (vault::Patient{"12345", "HOSP"}));
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(pseudonyms.of("12345", "HOSP"), first);
    EXPECT_EQ(questions, 1);
    // Neither the authority nor where one ends and the other begins is the same patient.
    for (const auto& [id, authority] :
         {std::pair{"12345", ""}, {"5", "HOSP1234"}, {"", "HOSP12345"}})
        EXPECT_NE(pseudonyms.of(id, authority), first) << id;
    EXPECT_EQ(questions, 4);
}

TEST_F(VaultPseudonymsTest, AreBase64UrlOfSixteenBytes) {
    const auto answer = [](const vault::Patient&) -> base::Result<vault::Pseudonym> {
        return vault::Pseudonym{0xfb, 0xff, 0xbf, 0x00, 0x10, 0x83, 0x10, 0x51,
                                0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3, 0x8f, 0x41};
    };
    VaultPseudonyms pseudonyms(answer, clock);
    // base64.urlsafe_b64encode(bytes.fromhex("fbffbf0010831051872092 8b30d38f41")).rstrip(b"=")
    EXPECT_EQ(pseudonyms.of("1", ""), "-_-_ABCDEFGHIJKLMNOPQQ");
}

TEST_F(VaultPseudonymsTest, NobodyAndNamesWithoutBoundAreNotAskedFor) {
    MITRAL_PROVES("T-SW-05");
    VaultPseudonyms pseudonyms(counting(), clock);
    const std::string longer(257, 'x');
    EXPECT_FALSE(pseudonyms.of("", ""));
    EXPECT_FALSE(pseudonyms.of(longer, "HOSP"));
    EXPECT_FALSE(pseudonyms.of("1", longer));
    EXPECT_EQ(questions, 0);
    EXPECT_TRUE(pseudonyms.of(std::string(256, 'x'), std::string(256, 'y')));
}

TEST_F(VaultPseudonymsTest, TheLongestUnusedIsForgottenFirst) {
    MITRAL_PROVES("T-DOS-01");
    VaultPseudonyms pseudonyms(counting(), clock, 2);
    (void)pseudonyms.of("a", "");
    (void)pseudonyms.of("b", "");
    (void)pseudonyms.of("a", "");
    (void)pseudonyms.of("c", "");  // in b's place
    EXPECT_EQ(questions, 3);
    (void)pseudonyms.of("a", "");
    (void)pseudonyms.of("c", "");
    EXPECT_EQ(questions, 3);
    (void)pseudonyms.of("b", "");
    EXPECT_EQ(questions, 4);
}

TEST_F(VaultPseudonymsTest, SoManyAreRememberedAndNoMore) {
    MITRAL_PROVES("T-DOS-01");
    VaultPseudonyms pseudonyms(counting(), clock);
    constexpr int bound = VaultPseudonyms::max_entries;
    for (int i = 0; i <= bound; ++i)
        EXPECT_TRUE(pseudonyms.of(std::to_string(i), "HOSP"));
    EXPECT_EQ(questions, bound + 1);
    (void)pseudonyms.of(std::to_string(bound), "HOSP");
    (void)pseudonyms.of("1", "HOSP");
    EXPECT_EQ(questions, bound + 1);
    (void)pseudonyms.of("0", "HOSP");
    EXPECT_EQ(questions, bound + 2);
}

TEST_F(VaultPseudonymsTest, AfterARefusalTheVaultIsLeftAloneForAWhile) {
    MITRAL_PROVES("T-DOS-04");
    for (const auto error : {VaultError::not_provisioned, VaultError::rate_limited,
                             VaultError::vault_unavailable, VaultError::backend_failure}) {
        questions = 0;
        failure = VaultError{};
        VaultPseudonyms pseudonyms(counting(), clock);
        const auto known = pseudonyms.of("known", "");
        failure = error;
        const auto ask_for_seconds = [&](int seconds) {
            for (int i = 0; i < seconds; ++i) {
                EXPECT_FALSE(pseudonyms.of(std::to_string(i), "HOSP"));
                clock.advance(base::Seconds(1));
            }
        };
        ask_for_seconds(10);
        EXPECT_EQ(questions, 2);
        ask_for_seconds(20);  // the pause doubles …
        EXPECT_EQ(questions, 3);
        ask_for_seconds(10'000);  // … up to five minutes
        EXPECT_GE(questions, 3 + 9'000 / 300);
        EXPECT_LE(questions, 3 + 11'000 / 300);
        EXPECT_EQ(pseudonyms.of("known", ""), known);  // what is known stays known
        failure = VaultError{};
        clock.advance(base::Seconds(300));
        EXPECT_TRUE(pseudonyms.of("new", ""));
        failure = error;
        questions = 0;
        ask_for_seconds(10);
        EXPECT_EQ(questions, 1);  // and the first pause is short again
    }
}

TEST_F(VaultPseudonymsTest, ASlowVaultGetsAQuarterOfTheTime) {
    MITRAL_PROVES("T-DOS-04");
    VaultPseudonyms pseudonyms(counting(), clock);
    takes = base::Milliseconds(100);
    const auto start = clock.monotonic();
    for (int patient = 0; clock.monotonic() - start < base::Seconds(100); ++patient) {
        (void)pseudonyms.of(std::to_string(patient), "HOSP");
        clock.advance(base::Milliseconds(5));
    }
    EXPECT_LE(questions * takes, base::Milliseconds(25'000 + 600));
    EXPECT_GE(questions * takes, base::Milliseconds(20'000));
}

// A real socket behind which nobody answers.
TEST_F(VaultPseudonymsTest, ABlockedVaultCostsOneBoundedWait) {
    MITRAL_PROVES("T-DOS-04");
    test::TemporaryDirectory directory;
    const auto path = directory.path("vault.sock");
    const auto listener = base::listen_seqpacket(path, 0600);
    ASSERT_TRUE(listener);
    const base::SystemClock real;
    VaultPseudonyms pseudonyms(ask_vault(path), real);
    const auto start = real.monotonic();
    for (int i = 0; i < 1000; ++i)
        EXPECT_FALSE(pseudonyms.of(std::to_string(i), "HOSP"));
    EXPECT_LT(real.monotonic() - start, base::Seconds(8));  // not a thousand times half a second
}

TEST_F(VaultPseudonymsTest, AVaultThatIsAwayIsNoError) {
    const base::SystemClock real;
    VaultPseudonyms pseudonyms(ask_vault("/nonexistent/vault.sock"), real);
    EXPECT_FALSE(pseudonyms.of("12345", "HOSP"));
}

}  // namespace
}  // namespace mitral::intake::hl7
