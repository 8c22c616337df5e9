#include "mitral/finding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mitral::cli {
namespace {

std::vector<Finding> three(Verdict middle) {
    std::vector<Finding> findings{good("fine"), warn("odd", "look"), skip("needs b")};
    findings[1].verdict = middle;
    findings[0].layer = "a";
    findings[1].layer = "b";
    findings[2].layer = "c";
    return findings;
}

TEST(Finding, TheFirstFailureIsNamed) {
    EXPECT_EQ(nullptr, first_failure(three(Verdict::warning)));
    const auto failed = three(Verdict::failed);
    ASSERT_NE(nullptr, first_failure(failed));
    EXPECT_EQ("b", first_failure(failed)->layer);
    EXPECT_THAT(to_text(failed), testing::HasSubstr("first failing layer: b: odd"));
    EXPECT_THAT(to_text(failed), testing::HasSubstr("FAIL  b              odd\n"));
    EXPECT_THAT(to_text(failed), testing::HasSubstr("-> look"));
    EXPECT_THAT(to_text(three(Verdict::warning)), testing::HasSubstr("no layer fails"));
}

TEST(Finding, JsonHoldsTheSame) {
    const auto document = nlohmann::json::parse(to_json(three(Verdict::failed)));
    EXPECT_EQ(false, document["healthy"]);
    EXPECT_EQ("b", document["first_failure"]);
    EXPECT_EQ("FAIL", document["layers"][1]["verdict"]);
    EXPECT_EQ("look", document["layers"][1]["remedy"]);
    EXPECT_TRUE(nlohmann::json::parse(to_json(three(Verdict::ok)))["first_failure"].is_null());
}

}  // namespace
}  // namespace mitral::cli
