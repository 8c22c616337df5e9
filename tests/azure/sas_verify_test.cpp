// Judging tokens as the local Azure does. A verifier that accepts too much would make every other
// test weak.
#include <gtest/gtest.h>

#include <random>

#include "azure/errors.hpp"
#include "azure/sas.hpp"
#include "azure/text.hpp"
#include "azure/vectors.hpp"
#include "base/encoding.hpp"
#include "support/proves.hpp"

namespace mitral::azure {
namespace {

constexpr std::int64_t now = test::vector_expiry_s - 100;

base::Status judge(std::string_view text, int key, std::string_view wanted,
                   std::int64_t now_s = now) {
    MITRAL_TRY(const auto token, parse_token(text));
    const auto bytes = test::vector_key(key);
    return verify_token(token, {bytes}, {wanted, now_s, base::Seconds(300)});
}

std::string signed_with_raw_resource(std::string_view raw, int key) {
    const auto mac =
        base::hmac_sha256(test::vector_key(key), base::as_bytes(std::string(raw) + "\n1767225600"));
    return "SharedAccessSignature sr=" + std::string(raw) +
           "&sig=" + percent_encode(base::to_base64(mac)) + "&se=1767225600";
}

TEST(SasVerify, AcceptsEveryVector) {
    for (const auto& vector : test::sas_vectors) {
        const auto status = judge(vector.token, vector.key, vector.resource);
        EXPECT_TRUE(status) << vector.name << ": " << status.error().message();
        EXPECT_EQ(vector.policy, parse_token(vector.token)->policy);
    }
}

TEST(SasVerify, AcceptsAnyFieldOrderAndLowerCaseEscapes) {
    EXPECT_TRUE(judge(
        "SharedAccessSignature se=1767225600&sig=v4gios6SrIAP%2fbN8W4K%2bLLyi09Hh6k8jAU4aTMz881M%3d"
        "&sr=contoso.azure-devices.net%2Fdevices%2Fdev-01",
        1, "contoso.azure-devices.net/devices/dev-01"));
    EXPECT_TRUE(judge(signed_with_raw_resource("contoso.azure-devices.net%2fdevices%2fdev-01", 1),
                      1, "contoso.azure-devices.net/devices/dev-01"));
}

TEST(SasVerify, AcceptsALowerCasedResourceAndTheOldApiVersionSuffix) {
    EXPECT_TRUE(judge(signed_with_raw_resource("hub.example%2fdevices%2fdev-a", 1), 1,
                      "Hub.Example/devices/Dev-A"));
    EXPECT_TRUE(
        judge(signed_with_raw_resource("hub.example%2Fdevices%2Fd%2Fapi-version%3D2016-11-14", 1),
              1, "hub.example/devices/d"));
    // Any other difference in case is another device.
    EXPECT_FALSE(judge(signed_with_raw_resource("hub.example%2Fdevices%2FDEV-a", 1), 1,
                       "hub.example/devices/Dev-A"));
}

TEST(SasVerify, RefusesAnotherDevicesToken) {
    MITRAL_PROVES("T-TOK-02");
    const auto token = signed_with_raw_resource("hub.example%2Fdevices%2Fab", 1);
    EXPECT_TRUE(judge(token, 1, "hub.example/devices/ab"));
    EXPECT_TRUE(judge(token, 1, "hub.example/devices/ab/modules/m"));
    for (const auto* other :
         {"hub.example/devices/abc", "hub.example/devices/a", "hub.example/devices", "hub.example",
          "other.example/devices/ab", "hub.example/modules/ab"}) {
        const auto status = judge(token, 1, other);
        ASSERT_FALSE(status) << other;
        EXPECT_EQ(AzureError::not_authorised, status.error().code) << other;
    }
    // A path that only becomes another one after decoding twice stays what it is.
    EXPECT_FALSE(judge(signed_with_raw_resource("hub.example%252Fdevices%252Fab", 1), 1,
                       "hub.example/devices/ab"));
}

TEST(SasVerify, ExpiryHasASkewAndNoMore) {
    MITRAL_PROVES("T-TOK-05");
    const auto& vector = test::sas_vectors[0];
    EXPECT_TRUE(judge(vector.token, 1, vector.resource, test::vector_expiry_s + 300));
    const auto late = judge(vector.token, 1, vector.resource, test::vector_expiry_s + 301);
    ASSERT_FALSE(late);
    EXPECT_EQ(AzureError::token_expired, late.error().code);
}

TEST(SasVerify, EveryFlippedBitOfResourceExpiryOrSignatureIsRefused) {
    MITRAL_PROVES("T-TOK-02", "T-TOK-01");
    const auto& vector = test::sas_vectors[0];
    ASSERT_TRUE(judge(vector.token, 1, vector.resource));
    const auto first = std::string_view("SharedAccessSignature sr=").size();
    int altered = 0;
    for (std::size_t at = first; at < vector.token.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string token(vector.token);
            token[at] = static_cast<char>(token[at] ^ (1 << bit));
            // Escapes may be written in either case: that alone changes nothing that is signed in
            // `sig`.
            const auto parsed = parse_token(token);
            const auto original = parse_token(vector.token);
            if (parsed && parsed->raw_resource == original->raw_resource &&
                parsed->raw_expiry == original->raw_expiry &&
                parsed->signature == original->signature)
                continue;
            ++altered;
            EXPECT_FALSE(judge(token, 1, vector.resource)) << token;
        }
    }
    EXPECT_GT(altered, 900);
}

TEST(SasVerify, TriesEveryKeyButNeverAnEmptyOne) {
    const auto token = parse_token(test::sas_vectors[0].token);
    const auto good = test::vector_key(1);
    const auto other = test::vector_key(2);
    const TokenCheck check{test::sas_vectors[0].resource, now, base::Seconds(300)};
    EXPECT_TRUE(verify_token(*token, {other, good}, check));
    EXPECT_EQ(AzureError::wrong_signature,
              verify_token(*token, {other, other}, check).error().code);
    EXPECT_FALSE(verify_token(*token, {}, check));

    // A token signed with the empty key must not pass for an identity whose key is not set.
    const auto mac = base::hmac_sha256({}, base::as_bytes("h\n1767225600"));
    const auto forged =
        parse_token("SharedAccessSignature sr=h&sig=" + percent_encode(base::to_base64(mac)) +
                    "&se=1767225600");
    ASSERT_TRUE(forged);
    EXPECT_FALSE(verify_token(*forged, {base::ByteView()}, {"h", now, base::Seconds(300)}));
}

TEST(SasParse, RefusesWhatIsNotAToken) {
    const std::string good(test::sas_vectors[0].token);
    for (const std::string& bad : std::initializer_list<std::string>{
             "", "SharedAccessSignature", "SharedAccessSignature ", "sharedaccesssignature sr=a",
             good + "&se=1", good + "&", good + "&x=1", good + "&skn", good + "0x",
             "SharedAccessSignature "
             "sr=&sig=v4gios6SrIAP%2FbN8W4K%2BLLyi09Hh6k8jAU4aTMz881M%3D&se=1",
             "SharedAccessSignature sr=a&sig=AAAA&se=1", "SharedAccessSignature sr=a&sig=%&se=1",
             "SharedAccessSignature "
             "sr=%zz&sig=v4gios6SrIAP%2FbN8W4K%2BLLyi09Hh6k8jAU4aTMz881M%3D&se=1",
             "SharedAccessSignature "
             "sr=a&sig=v4gios6SrIAP%2FbN8W4K%2BLLyi09Hh6k8jAU4aTMz881M%3D&se=-1",
             "SharedAccessSignature "
             "sr=a&sig=v4gios6SrIAP%2FbN8W4K%2BLLyi09Hh6k8jAU4aTMz881M%3D&se=99999999999999999999",
             "SharedAccessSignature " + std::string(5000, 'a')}) {
        const auto token = parse_token(bad);
        ASSERT_FALSE(token) << bad;
        EXPECT_EQ(AzureError::malformed_token, token.error().code);
    }
    for (std::size_t size = 0; size < good.size() - 10; ++size)
        EXPECT_FALSE(parse_token(good.substr(0, size))) << size;
}

TEST(SasParse, NeverPutsTheTokenIntoAnError) {
    MITRAL_PROVES("T-TOK-03");
    const auto token = parse_token(std::string(test::sas_vectors[0].token) + "&x=1");
    ASSERT_FALSE(token);
    EXPECT_EQ(std::string::npos, token.error().message().find("v4gios"));
}

TEST(SasProperty, WhatIsSignedVerifiesAndOnlyForItself) {
    MITRAL_PROVES("T-TOK-02");
    std::mt19937_64 random(20260101);
    const std::string alphabet = "abAB01-:.%_*?!(),=@;$'";
    const auto name = [&] {
        std::string id;
        for (auto left = 1 + random() % 12; left > 0; --left)
            id.push_back(alphabet[random() % alphabet.size()]);
        return id;
    };
    for (int round = 0; round < 2000; ++round) {
        const auto mine = name();
        const auto other = name();
        const auto resource = device_resource("hub.example:8883", mine);
        ASSERT_TRUE(resource) << mine;
        base::Bytes key(16 + random() % 49);
        for (auto& byte : key)
            byte = static_cast<std::uint8_t>(random());
        const auto token = sign_token(key, *resource, now + 1);
        ASSERT_TRUE(token);
        const auto parsed = parse_token(base::as_text(token->view()));
        ASSERT_TRUE(parsed);
        EXPECT_EQ(*resource, parsed->resource);
        EXPECT_TRUE(verify_token(*parsed, {key}, {*resource, now, base::Seconds(0)}));
        const bool same = other == mine || to_lower(other) == mine;
        EXPECT_EQ(same, verify_token(*parsed, {key},
                                     {"hub.example:8883/devices/" + other, now, base::Seconds(0)})
                            .has_value())
            << mine << " vs " << other;
    }
}

}  // namespace
}  // namespace mitral::azure
