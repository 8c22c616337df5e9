#include "cloud/hub/twin_document.hpp"

#include <gtest/gtest.h>

#include "cloud/error.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr base::WallTime first{1'767'225'600'000};  // 2026-01-01T00:00:00.000Z
constexpr base::WallTime second{1'767'225'601'000};

TwinStep patch(const TwinSection& before, std::string_view text, TwinPart part = TwinPart::desired,
               base::WallTime now = first) {
    const auto step = patched(part, before, text, now);
    EXPECT_TRUE(step) << (step ? "" : step.error().message());
    return step ? *step : TwinStep{};
}

std::error_code refusal(std::string_view text, TwinPart part = TwinPart::reported) {
    const auto step = patched(part, {}, text, first);
    return step ? std::error_code() : step.error().code;
}

std::string nested(int levels) {
    std::string text;
    for (int i = 0; i < levels; ++i)
        text += "{\"l\":";
    return text + "1" + std::string(static_cast<std::size_t>(levels), '}');
}

TEST(TwinDocument, MergesAndRemovesWithNull) {
    const auto one = patch({}, R"({"a":{"b":1,"c":"x"},"d":true})").after;
    EXPECT_EQ(one.values, R"({"a":{"b":1,"c":"x"},"d":true})");
    const auto two = patch(one, R"({"a":{"b":null,"e":[1,{"f":2}]},"d":null,"g":null})").after;
    EXPECT_EQ(two.values, R"({"a":{"c":"x","e":[1,{"f":2}]}})");
    EXPECT_EQ(patch(two, R"({"a":5})").after.values, R"({"a":5})");
    EXPECT_EQ(patch(two, R"({"a":null})").after.values, "{}");
    // RFC 7396: what replaces a value that is no object holds no nulls either.
    EXPECT_EQ(patch(one, R"({"d":{"x":null,"y":{"z":null}}})").after.values,
              R"({"a":{"b":1,"c":"x"},"d":{"y":{}}})");
}

TEST(TwinDocument, StampsWhatWasTouchedAndOnlyThat) {
    const auto one = patch({}, R"({"a":{"b":1},"c":2})").after;
    EXPECT_EQ(one.version, 2);
    const auto two = patch(one, R"({"c":3})", TwinPart::desired, second).after;
    EXPECT_EQ(two.version, 3);
    constexpr auto early = R"("$lastUpdated":"2026-01-01T00:00:00.000Z","$lastUpdatedVersion":2)";
    constexpr auto late = R"("$lastUpdated":"2026-01-01T00:00:01.000Z","$lastUpdatedVersion":3)";
    EXPECT_EQ(two.metadata, std::string("{") + late + R"(,"a":{)" + early + R"(,"b":{)" + early +
                                R"(}},"c":{)" + late + "}}");
    EXPECT_EQ(patch(two, R"({"a":null,"c":null})").after.metadata.find("\"a\""), std::string::npos);
}

TEST(TwinDocument, ReportedMetadataHasNoVersionsAndTagsHaveNone) {
    EXPECT_EQ(
        patch({}, R"({"a":1})", TwinPart::reported).after.metadata,
        R"({"$lastUpdated":"2026-01-01T00:00:00.000Z","a":{"$lastUpdated":"2026-01-01T00:00:00.000Z"}})");
    EXPECT_EQ(patch({}, R"({"a":1})", TwinPart::tags).after.metadata, "");
}

TEST(TwinDocument, ReplacesAndSaysWhatVanished) {
    const auto one = patch({}, R"({"a":{"b":1,"c":2},"d":3})").after;
    const auto step = replaced(TwinPart::desired, one, R"({"a":{"c":4},"e":null,"f":5})", second);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->after.values, R"({"a":{"c":4},"f":5})");
    EXPECT_EQ(step->patch, R"({"a":{"b":null,"c":4},"d":null,"f":5})");
    EXPECT_EQ(step->after.metadata.find("00:00:00.000Z"), std::string::npos);
    // Who merges the patch into the old document has the new one.
    EXPECT_EQ(patch(one, step->patch).after.values, step->after.values);
}

TEST(TwinDocument, TakesBackWhatItShowed) {
    const auto one = patch({}, R"({"a":1})").after;
    const auto shown = with_metadata(one);
    EXPECT_EQ(shown.find(R"({"a":1,"$metadata":{)"), 0U);
    EXPECT_TRUE(shown.ends_with(R"(,"$version":2})"));
    const auto again = patch(one, shown);
    EXPECT_EQ(again.after.values, one.values);
    EXPECT_EQ(again.patch, R"({"a":1})");
    EXPECT_EQ(with_version("{}", 7), R"({"$version":7})");
    EXPECT_EQ(with_version(R"({"a":1})", 7), R"({"a":1,"$version":7})");
    EXPECT_EQ(with_metadata({}),
              R"({"$metadata":{"$lastUpdated":"0001-01-01T00:00:00Z"},"$version":1})");
}

TEST(TwinDocument, RefusesWhatIsNoObject) {
    for (const auto* text : {"[]", "1", "null", "\"a\"", "{", "{\"a\":}", "{\"a\":\"\xff\"}"})
        EXPECT_EQ(refusal(text), CloudError::invalid_argument) << text;
}

TEST(TwinDocument, RefusesKeysOutsideTheRules) {
    MITRAL_PROVES("CR 3.5");
    for (const auto* key : {"a.b", "$a", "a$", "a b", "", "a\\u0001", "a\\u007f", "a\\u0085"}) {
        const auto text = std::string("{\"") + key + "\":1}";
        EXPECT_EQ(refusal(text), CloudError::invalid_argument) << text;
        EXPECT_EQ(refusal("{\"ok\":" + text + "}"), CloudError::invalid_argument) << text;
        EXPECT_EQ(refusal("{\"ok\":[" + text + "]}"), CloudError::invalid_argument) << text;
    }
    EXPECT_FALSE(refusal("{\"\xc3\xa9-_/#\":1}"));
    EXPECT_FALSE(refusal("{\"" + std::string(1024, 'k') + "\":1}"));
    EXPECT_EQ(refusal("{\"" + std::string(1025, 'k') + "\":1}"), CloudError::invalid_argument);
}

TEST(TwinDocument, RefusesValuesOutsideTheRules) {
    MITRAL_PROVES("CR 3.5");
    EXPECT_FALSE(refusal(R"({"a":4503599627370495,"b":-4503599627370496,"c":1e300})"));
    for (const auto* number : {"4503599627370496", "-4503599627370497", "18446744073709551615"})
        EXPECT_EQ(refusal(std::string("{\"a\":") + number + "}"), CloudError::invalid_argument);
    EXPECT_FALSE(refusal("{\"a\":\"" + std::string(4096, 's') + "\"}"));
    EXPECT_EQ(refusal("{\"a\":\"" + std::string(4097, 's') + "\"}"), CloudError::invalid_argument);
    EXPECT_FALSE(refusal(nested(11)));  // ten objects below the part
    EXPECT_EQ(refusal(nested(12)), CloudError::invalid_argument);
    EXPECT_EQ(refusal(nested(10'000)), CloudError::invalid_argument);
    EXPECT_EQ(refusal("{\"a\":" + std::string(11, '[') + std::string(11, ']') + "}"),
              CloudError::invalid_argument);
}

// One 4,000-character string a member: eight fill a part of properties, the ninth is too much.
std::string members(int from, int to) {
    std::string text = "{";
    for (int i = from; i < to; ++i)
        text += (i > from ? ",\"k" : "\"k") + std::to_string(i) + "\":\"" + std::string(4000, 's') +
                "\"";
    return text + "}";
}

TEST(TwinDocument, BoundsThePartsAndLetsThemShrink) {
    MITRAL_PROVES("CR 3.5");
    EXPECT_EQ(refusal(members(0, 3), TwinPart::tags), CloudError::too_large);
    EXPECT_FALSE(refusal(members(0, 2), TwinPart::tags));
    const auto full = patch({}, members(0, 8)).after;
    EXPECT_EQ(patched(TwinPart::desired, full, members(8, 9), first).error().code,
              CloudError::too_large);
    EXPECT_TRUE(patched(TwinPart::desired, full, R"({"k0":"short"})", first));
    // The same document as tags is above their limit; it may only lose.
    EXPECT_FALSE(patched(TwinPart::tags, full, R"({"more":1})", first));
    EXPECT_TRUE(patched(TwinPart::tags, full, R"({"k0":null})", first));
    EXPECT_EQ(refusal("{\"a\":\"" + std::string(max_patch_text, ' ') + "\"}"),
              CloudError::too_large);
}

TEST(TwinDocument, CountsAsTheDocumentationDoes) {
    // 8 for a number, 4 for a boolean, characters of keys and strings without controls.
    std::string text = "{";
    for (int i = 0; i < 681; ++i)
        text +=
            (i > 0 ? ",\"" : "\"") + std::to_string(1000 + i) + "\":" + (i % 2 == 0 ? "1" : "1.5");
    // 681 × (4 + 8) = 8,172; "t" and true: 5; "u" and 14 characters: 15. Together 8,192.
    text += R"(,"t":true,"u":"ééééééééééé\n\u0001\u0085zzz")";
    EXPECT_FALSE(refusal(text + "}", TwinPart::tags));
    EXPECT_EQ(refusal(text + R"(,"v":""})", TwinPart::tags), CloudError::too_large);
}

}  // namespace
}  // namespace mitral::cloud::hub
