#include "mitral/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "mitral/uplink_view.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cli {
namespace {

using test::ok;
using testing::HasSubstr;

constexpr std::string_view monitors =
    R"({"program":"mitral-intake-hl7","written":"2026-01-01T00:00:00.000Z","open":1,)"
    R"("connections":3,"rejected":2,"messages":70,"readings":60,"observations":600,"refused":4,)"
    R"("lanes":{"vitals":{"queued":7,"dropped_records":1}},"monitors":[)"
    R"({"source":"icu-1","connected":true,"messages":69,"refused":4,)"
    R"("last_message":"2026-01-01T00:00:00.000Z","clock_offset_ms":-1250,)"
    R"("not_understood":{"codes":8,"units":0,"texts":3}},)"
    R"({"source":"icu-2","connected":false,"messages":1,"refused":0,"last_message":null,)"
    R"("clock_offset_ms":null,"not_understood":{}}]})";

class MonitorsStatus : public ::testing::Test {
  protected:
    MonitorsStatus() {
        auto& intake = settings.intakes.emplace_back(Intake{"intake-hl7", {}}).settings;
        intake.spool.directory = directory.path();
        intake.status = directory.path("status.json");
        intake.vault = directory.path("no-vault.sock");
    }
    StatusReport report(std::string_view file) {
        EXPECT_TRUE(
            ok(base::replace_file(directory.path("status.json"), base::as_bytes(file), 0644)));
        return describe_unit(settings, base::ManualClock(base::WallTime{0}));
    }

    test::TemporaryDirectory directory;
    UnitSettings settings;
};

TEST_F(MonitorsStatus, SaysOfEachMonitorWhatReachedUsAndWhatDidNot) {
    const auto said = report(monitors);
    EXPECT_THAT(said.text, HasSubstr("monitors   1 of 2 connected, 70 messages, 60 readings, 600 "
                                     "observations, 4 refused, 2 connections turned away\n"));
    EXPECT_THAT(
        said.text,
        HasSubstr("icu-1: connected, 69 messages, 4 refused, last 2026-01-01T00:00:00.000Z, "
                  "clock -1.2 s; not understood: 8 codes, 3 texts\n"));
    EXPECT_THAT(said.text, HasSubstr("icu-2: not connected, 1 messages\n"));
    const auto json = nlohmann::json::parse(said.json).at("intake-hl7");
    EXPECT_EQ(json.at("queued"), 7);
    EXPECT_EQ(json.at("monitors").at(0).at("not_understood").at("codes"), 8);
    EXPECT_TRUE(json.at("monitors").at(1).at("last_message").is_null());
}

TEST_F(MonitorsStatus, WhatTheFileSaysIsCheckedBeforeItIsShown) {
    MITRAL_PROVES("T-SW-01", "T-DATA-06");
    std::string hostile(monitors);
    hostile.replace(hostile.find("icu-1"), 5, "\\u001b[2JDoe");
    hostile.replace(hostile.find("codes"), 5, "Jane Doe");
    const auto said = report(hostile).text;
    EXPECT_THAT(said, HasSubstr("?: connected"));
    EXPECT_THAT(said, HasSubstr("8 ?, 3 texts"));
    EXPECT_THAT(said, testing::Not(HasSubstr("Doe")));
    for (const char* wrong : {"", "[]", "{\"monitors\":7}", "{\"monitors\":[7]}"})
        EXPECT_THAT(report(wrong).text, testing::Not(HasSubstr("?:"))) << wrong;
    EXPECT_FALSE(report("").complete);
}

TEST(UplinkStatus, SaysHowManyCheckpointsArrivedAndWhyNoneDo) {
    const test::TemporaryDirectory directory;
    UnitSettings settings;
    settings.uplink.emplace().status_file = directory.path("uplink.json");
    const auto said = [&](std::string_view file) {
        EXPECT_TRUE(
            ok(base::replace_file(directory.path("uplink.json"), base::as_bytes(file), 0644)));
        return describe_unit(settings, base::ManualClock(base::WallTime{0})).text;
    };
    const auto sound = said(R"({"state":"connected","checkpoints":{"acknowledged":7}})");
    EXPECT_THAT(sound, HasSubstr("7 checkpoints"));
    EXPECT_THAT(sound, testing::Not(HasSubstr("no checkpoints")));
    EXPECT_THAT(said(R"({"checkpoints":{"acknowledged":7,"trouble":"refused"}})"),
                HasSubstr("no checkpoints: refused"));
}

}  // namespace
}  // namespace mitral::cli
