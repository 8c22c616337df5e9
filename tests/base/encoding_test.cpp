#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/errors.hpp"
#include "support/result_matchers.hpp"

namespace mitral::base {
namespace {

using test::failed_with;
using test::ok;

TEST(Base64, MatchesRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
        const auto decoded = from_base64(encoded);
        ASSERT_TRUE(ok(decoded));
        EXPECT_EQ(as_text(*decoded), plain);
    }
}

TEST(Base64, IsStrict) {
    for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==",
                             "Z g=", "Zg==\n", "Zm-v", "Zm_v", "=g==", "Zm9v="})
        EXPECT_TRUE(failed_with(from_base64(text), BaseError::malformed)) << text;
}

TEST(Base64, RoundTripsRandomBytes) {
    std::mt19937 random(11);
    for (std::size_t size = 0; size < 200; ++size) {
        Bytes bytes(size);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random());
        const auto text = to_base64(bytes);
        const auto back = from_base64(text);
        ASSERT_TRUE(ok(back));
        EXPECT_EQ(*back, bytes);
        const auto secret = secret_from_base64(text);
        ASSERT_TRUE(ok(secret));
        EXPECT_TRUE(equal_constant_time(secret->view(), bytes));
    }
}

TEST(Hex, RoundTripsAndRefuses) {
    EXPECT_EQ(to_hex(Bytes{0x00, 0xAB, 0xFF}), "00abff");
    EXPECT_EQ(*from_hex("00ABff"), (Bytes{0x00, 0xAB, 0xFF}));
    EXPECT_TRUE(failed_with(from_hex("abc"), BaseError::malformed));
    EXPECT_TRUE(failed_with(from_hex("0g"), BaseError::malformed));
}

}  // namespace
}  // namespace mitral::base
