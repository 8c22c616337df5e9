#include "base/crypto.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::base {
namespace {

using test::failed_with;
using test::ok;

Bytes hex(const char* text) {
    return *from_hex(text);
}

TEST(Digest, MatchesPublishedVectors) {
    // FIPS 180-4 "abc"; RFC 4231 case 2.
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(to_hex(hmac_sha256({}, {})),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hkdf, MatchesRfc5869Case1) {
    const auto key =
        hkdf_sha256(hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
                    hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42);
    ASSERT_TRUE(ok(key));
    EXPECT_EQ(
        to_hex(key->view()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

// Test case 14 of the GCM specification (McGrew and Viega): zero key, nonce and plain text.
TEST(Aes256Gcm, MatchesThePublishedVector) {
    auto cipher = Aes256Gcm::create(Bytes(32));
    ASSERT_TRUE(ok(cipher));
    Bytes sealed;
    ASSERT_TRUE(ok(cipher->seal({}, {}, Bytes(16), sealed)));
    EXPECT_EQ(to_hex(sealed), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(Aes256Gcm, DetectsEveryFlippedBit) {
    MITRAL_PROVES("T-DATA-02", "CR 3.1", "CR 4.1");
    auto cipher = Aes256Gcm::create(Bytes(32, 7));
    ASSERT_TRUE(ok(cipher));
    const Bytes associated = to_bytes("lane vitals");
    Bytes sealed;
    ASSERT_TRUE(ok(cipher->seal({1}, associated, as_bytes("36.80 Cel"), sealed)));
    Bytes plain;
    ASSERT_TRUE(ok(cipher->open({1}, associated, sealed, plain)));
    EXPECT_EQ(as_text(plain), "36.80 Cel");
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        Bytes damaged = sealed;
        damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_TRUE(
            failed_with(cipher->open({1}, associated, damaged, plain), BaseError::not_authentic));
        EXPECT_TRUE(plain.empty());
    }
    EXPECT_TRUE(
        failed_with(cipher->open({2}, associated, sealed, plain), BaseError::not_authentic));
    EXPECT_TRUE(failed_with(cipher->open({1}, {}, sealed, plain), BaseError::not_authentic));
    EXPECT_TRUE(failed_with(cipher->open({1}, associated, Bytes(15), plain), BaseError::malformed));
}

TEST(Aes256Gcm, SealsAndOpensNothing) {
    auto cipher = Aes256Gcm::create(Bytes(32, 1));
    Bytes sealed;
    ASSERT_TRUE(ok(cipher->seal({}, as_bytes("only associated"), {}, sealed)));
    Bytes plain{1, 2, 3};
    ASSERT_TRUE(ok(cipher->open({}, as_bytes("only associated"), sealed, plain)));
    EXPECT_TRUE(plain.empty());
}

TEST(Aes256Gcm, RefusesAShortKey) {
    EXPECT_TRUE(failed_with(Aes256Gcm::create(Bytes(16)), BaseError::malformed));
}

// RFC 8032 §7.1, test 2.
TEST(Ed25519, MatchesRfc8032) {
    const Secret key(hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
    const auto open = ed25519_public_key(key);
    ASSERT_TRUE(ok(open));
    EXPECT_EQ(to_hex(*open), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const Bytes message{0x72};
    const auto signature = ed25519_sign(key, message);
    ASSERT_TRUE(ok(signature));
    EXPECT_EQ(to_hex(*signature),
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    EXPECT_TRUE(ok(ed25519_verify(*open, message, *signature)));
}

TEST(Ed25519, RefusesAnotherMessageKeyOrLength) {
    MITRAL_PROVES("T-ID-01");
    const Secret key = ed25519_new_key();
    const auto open = *ed25519_public_key(key);
    const Bytes message = to_bytes("order");
    auto signature = *ed25519_sign(key, message);
    EXPECT_TRUE(
        failed_with(ed25519_verify(open, as_bytes("other"), signature), BaseError::not_authentic));
    const auto other = *ed25519_public_key(ed25519_new_key());
    EXPECT_TRUE(failed_with(ed25519_verify(other, message, signature), BaseError::not_authentic));
    EXPECT_TRUE(failed_with(ed25519_verify(open, message, ByteView(signature).first(63)),
                            BaseError::not_authentic));
    signature[0] ^= 1U;
    EXPECT_TRUE(failed_with(ed25519_verify(open, message, signature), BaseError::not_authentic));
}

TEST(Crc32c, MatchesRfc3720) {
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);
    EXPECT_EQ(crc32c(Bytes(32)), 0x8A9136AAU);
    EXPECT_EQ(crc32c(Bytes(32, 0xFF)), 0x62A8AB43U);
    const auto text = as_bytes("a text that is longer than one machine word");
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(crc32c(text.subspan(cut), crc32c(text.first(cut))), crc32c(text));
}

TEST(Random, DoesNotRepeat) {
    EXPECT_NE(random_u64(), random_u64());
}

}  // namespace
}  // namespace mitral::base
