#include "base/p256.hpp"

#include <gtest/gtest.h>

#include "base/encoding.hpp"
#include "base/errors.hpp"
#include "support/result_matchers.hpp"

namespace mitral::base {
namespace {

using test::failed_with;
using test::ok;

template <typename Array>
Array array_of(const char* hex) {
    const auto bytes = *from_hex(hex);
    Array out{};
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
}

// RFC 6979 A.2.5, "sample" with SHA-256.
const auto rfc_key = array_of<P256PublicKey>(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
const auto rfc_signature = array_of<P256Signature>(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");

TEST(P256, VerifiesThePublishedSignature) {
    const auto digest = sha256(as_bytes("sample"));
    EXPECT_TRUE(ok(p256_verify(rfc_key, digest, rfc_signature)));
    EXPECT_TRUE(failed_with(p256_verify(rfc_key, sha256(as_bytes("other")), rfc_signature),
                            BaseError::not_authentic));
    EXPECT_TRUE(failed_with(p256_verify(rfc_key, digest, ByteView(rfc_signature).first(63)),
                            BaseError::not_authentic));
    EXPECT_TRUE(
        failed_with(p256_verify(rfc_key, digest, P256Signature{}), BaseError::not_authentic));
}

TEST(P256, SignsWhatItVerifiesAndNothingElse) {
    const auto pair = p256_new_key();
    const auto other = p256_new_key();
    ASSERT_TRUE(ok(pair));
    ASSERT_TRUE(ok(other));
    const auto digest = sha256(as_bytes("a checkpoint"));
    const auto signature = p256_sign(*pair, digest);
    ASSERT_TRUE(ok(signature));
    EXPECT_TRUE(ok(p256_verify(pair->key, digest, *signature)));
    EXPECT_TRUE(failed_with(p256_verify(other->key, digest, *signature), BaseError::not_authentic));
    for (std::size_t bit = 0; bit < signature->size() * 8; bit += 5) {
        auto altered = *signature;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(p256_verify(pair->key, digest, altered)) << bit;
    }
}

TEST(P256, APointOffTheCurveIsNoKey) {
    auto key = rfc_key;
    key[63] ^= 1;
    EXPECT_TRUE(failed_with(p256_verify(key, sha256(as_bytes("sample")), rfc_signature),
                            BaseError::not_authentic));
    EXPECT_FALSE(p256_verify(P256PublicKey{}, sha256(as_bytes("sample")), rfc_signature));
}

}  // namespace
}  // namespace mitral::base
