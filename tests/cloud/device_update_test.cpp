#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "cloud/adu/device_manifest.hpp"
#include "cloud/adu/fleet.hpp"
#include "cloud/adu/report.hpp"
#include "cloud/api/update_files_api.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"
#include "cloud/state.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::adu {
namespace {

Json good_manifest() {
    const std::string sha256 = "PRao2v8fdsT3lZ4+9poWBkBqo2zpoxHSW7d4iKfvx/g=";
    return {
        {"updateId", {{"provider", "acme"}, {"name", "vitals-gw"}, {"version", "2.0.1"}}},
        {"compatibility", {{{"manufacturer", "acme"}, {"model", "vg1"}}}},
        {"instructions",
         {{"steps", {{{"handler", "microsoft/swupdate:2"}, {"files", {"a.swu"}}}}}}},
        {"files", {{{"filename", "a.swu"}, {"sizeInBytes", 11}, {"hashes", {{"sha256", sha256}}}}}},
        {"manifestVersion", "5.0"},
        {"createdDateTime", "2026-01-01T00:00:00.0000000Z"}};
}

TEST(ImportManifest, TakesWhatIsGood) {
    const auto manifest = parse_import_manifest(good_manifest().dump());
    ASSERT_TRUE(manifest) << manifest.error().message();
    EXPECT_EQ(manifest->id.text(), "acme/vitals-gw/2.0.1");
    EXPECT_TRUE(manifest->deployable);
    ASSERT_EQ(manifest->files.size(), 1U);
    EXPECT_EQ(manifest->files[0].size, 11);
    EXPECT_EQ(manifest->steps[0].files, std::vector<std::string>{"a.swu"});
}

TEST(ImportManifest, RefusesEachFault) {
    MITRAL_PROVES("CR 3.5");
    using Fault = std::function<void(Json&)>;
    const std::vector<std::pair<const char*, Fault>> faults{
        {"no id", [](Json& m) { m.erase("updateId"); }},
        {"provider", [](Json& m) { m["updateId"]["provider"] = "a/b"; }},
        {"long name", [](Json& m) { m["updateId"]["name"] = std::string(65, 'x'); }},
        {"one number", [](Json& m) { m["updateId"]["version"] = "2"; }},
        {"five numbers", [](Json& m) { m["updateId"]["version"] = "1.2.3.4.5"; }},
        {"a letter", [](Json& m) { m["updateId"]["version"] = "1.2b"; }},
        {"a large number", [](Json& m) { m["updateId"]["version"] = "1.2147483648"; }},
        {"an unknown member", [](Json& m) { m["extra"] = 1; }},
        {"no compatibility", [](Json& m) { m["compatibility"] = Json::array(); }},
        {"empty set", [](Json& m) { m["compatibility"] = {Json::object()}; }},
        {"no steps", [](Json& m) { m["instructions"]["steps"] = Json::array(); }},
        {"eleven steps",
         [](Json& m) { m["instructions"]["steps"] = Json(11, m["instructions"]["steps"][0]); }},
        {"handler", [](Json& m) { m["instructions"]["steps"][0]["handler"] = "swupdate"; }},
        {"unlisted file", [](Json& m) { m["instructions"]["steps"][0]["files"] = {"b"}; }},
        {"no file", [](Json& m) { m["instructions"]["steps"][0]["files"] = Json::array(); }},
        {"a path", [](Json& m) { m["files"][0]["filename"] = "../a.swu"; }},
        {"a hidden file", [](Json& m) { m["files"][0]["filename"] = ".."; }},
        {"no size", [](Json& m) { m["files"][0].erase("sizeInBytes"); }},
        {"nothing in it", [](Json& m) { m["files"][0]["sizeInBytes"] = 0; }},
        {"3 GB", [](Json& m) { m["files"][0]["sizeInBytes"] = 3'000'000'000; }},
        {"a fraction", [](Json& m) { m["files"][0]["sizeInBytes"] = 1.5; }},
        {"digest", [](Json& m) { m["files"][0]["hashes"]["sha256"] = "AAAA"; }},
        {"another digest", [](Json& m) { m["files"][0]["hashes"]["md5"] = "AAAA"; }},
        {"twice the same", [](Json& m) { m["files"].push_back(m["files"][0]); }},
        {"version 3", [](Json& m) { m["manifestVersion"] = "3.0"; }},
        {"no time", [](Json& m) { m["createdDateTime"] = "yesterday"; }},
        {"deployable", [](Json& m) { m["isDeployable"] = "yes"; }},
        {"a control character", [](Json& m) { m["description"] = "a\nb"; }}};
    for (const auto& [name, fault] : faults) {
        auto manifest = good_manifest();
        fault(manifest);
        const auto parsed = parse_import_manifest(manifest.dump());
        ASSERT_FALSE(parsed) << name;
        EXPECT_EQ(parsed.error().code, CloudError::invalid_argument) << name;
    }
    const std::string large(max_import_manifest + 1, ' ');
    EXPECT_EQ(parse_import_manifest(large).error().code, CloudError::too_large);
}

TEST(ImportManifest, ComparesVersionsByNumber) {
    EXPECT_TRUE(is_older("2.9", "2.10"));
    EXPECT_TRUE(is_older("1.0", "1.0.1"));
    EXPECT_FALSE(is_older("2.0", "2.0.0"));
    EXPECT_FALSE(is_older("2.10", "2.9"));
    EXPECT_FALSE(is_older("x", "1.0"));
}

TEST(ImportManifest, FitsADeviceWithAllPropertiesOfASet) {
    const auto update = *parse_import_manifest(good_manifest().dump());
    EXPECT_TRUE(is_compatible(update, {{"manufacturer", "acme"}, {"model", "vg1"}}));
    EXPECT_TRUE(is_compatible(update, {{"DeviceManufacturer", "acme"}, {"deviceModel", "vg1"}}));
    EXPECT_TRUE(is_compatible(update, {{"manufacturer", "acme"}, {"model", "vg1"}, {"ring", "x"}}));
    EXPECT_FALSE(is_compatible(update, {{"manufacturer", "acme"}}));
    EXPECT_FALSE(is_compatible(update, {{"manufacturer", "Acme"}, {"model", "vg1"}}));
    EXPECT_FALSE(is_compatible(update, {}));
}

// The manifest of a deployment that we did not make, from what it says itself.
TEST(DeviceManifest, HasTheFormOfTheReference) {
    std::ifstream file(std::string(MITRAL_SOURCE_DIR) + "/tests/cloud/vectors/adu_desired.json");
    const auto desired = Json::parse(file);
    const auto text = desired["deviceUpdate"]["service"]["updateManifest"].get<std::string>();
    ImportManifest update{.id = {"acme", "vitals-gw", "2.0.1"},
                          .compatibility = {{{"manufacturer", "acme"}, {"model", "vg1"}}},
                          .created = "2026-01-01T00:00:00.0000000Z"};
    UpdateFile image{
        {.name = "vg1.swu", .size = 11, .sha256 = "PRao2v8fdsT3lZ4+9poWBkBqo2zpoxHSW7d4iKfvx/g="}};
    UpdateFile script{
        {.name = "ab.sh", .size = 8, .sha256 = "GukUbwt54P8FBAPMmy1lhc5V9r8ePiLtZIVu1TUcvvU="}};
    update.files = {image, script};
    update.steps = {{.handler = "microsoft/swupdate:2",
                     .handler_properties = R"({"installedCriteria":"2.0.1",)"
                                           R"("scriptFileName":"ab.sh","swuFileName":"vg1.swu",)"
                                           R"("apiVersion":"1.1"})",
                     .files = {"vg1.swu", "ab.sh"}}};
    const DeviceManifestParts parts{
        .ids = {{"vg1.swu", "f0000000000000001"}, {"ab.sh", "f0000000000000002"}}, .children = {}};
    EXPECT_EQ(device_manifest(update, parts), text);
}

TEST(AgentReport, ReadsWhatIsThere) {
    const auto report = read_report(
        R"({"state":255,"workflow":{"action":3,"id":"w","retryTimestamp":"t"},)"
        R"("installedUpdateId":"{\"provider\":\"a\",\"name\":\"b\",\"version\":\"1.0\"}",)"
        R"("lastInstallResult":{"resultCode":0,"extendedResultCodes":"80200001,00000002",)"
        R"("resultDetails":"d","stepResults":{"step_0":{"resultCode":700,)"
        R"("extendedResultCode":7},"step_2":{}}}})");
    ASSERT_TRUE(report);
    EXPECT_EQ(report->state, AgentState::failed);
    EXPECT_EQ(report->workflow, "w");
    EXPECT_EQ(report->retried, "t");
    EXPECT_EQ(report->installed, (UpdateId{"a", "b", "1.0"}));
    EXPECT_EQ(report->result->extended, -2'145'386'495);
    ASSERT_EQ(report->steps.size(), 1U);
    EXPECT_EQ(report->steps[0].extended, 7);
    EXPECT_EQ(read_report(R"({"state":"6"})")->state, AgentState::other);
    EXPECT_FALSE(read_report(R"({"installedUpdateId":"{}"})")->installed);
    EXPECT_FALSE(read_report("{"));
}

TEST(Fleet, SeesAnAgentOnlyWhereOneHasReportedItsProperties) {
    const auto twin = [](std::string reported, std::string tags = "{}") {
        return hub::Twin{
            .device = "d", .tags = std::move(tags), .reported = {std::move(reported), {}, 1}};
    };
    const std::string agent =
        R"({"deviceUpdate":{"agent":{"deviceProperties":{"manufacturer":"m","model":"x"}}}})";
    const auto seen = sight(twin(agent, R"({"ADUGroup":"g"})"));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->agent.group, "g");
    EXPECT_EQ(seen->agent.class_id.size(), 40U);
    EXPECT_EQ(sight(twin(agent))->agent.group, "$default");
    EXPECT_EQ(sight(twin(agent, R"({"ADUGroup":7})"))->agent.group, "$default");
    for (const auto* none : {"{}", R"({"deviceUpdate":1})", R"({"deviceUpdate":{"agent":{}}})",
                             R"({"deviceUpdate":{"agent":{"deviceProperties":{}}}})"})
        EXPECT_FALSE(sight(twin(none))) << none;
}

TEST(Fleet, BoundsTheClassesThatDevicesMake) {
    MITRAL_PROVES("CR 7.1");
    const test::TemporaryDirectory directory;
    const base::ManualClock clock{base::WallTime{1'790'000'000'000}};
    const auto state = *State::open(directory.path("state"), clock);
    Fleet fleet(state->database, clock);
    const auto reported = [](std::int64_t number) {
        return Sighting{.agent = {.device = "d", .group = "g"},
                        .device_class = {.id = std::to_string(number)}};
    };
    ASSERT_TRUE(state->database.execute("BEGIN"));
    for (std::int64_t i = 0; i < Fleet::max_classes; ++i)
        ASSERT_TRUE(fleet.save(reported(i)));
    EXPECT_EQ(fleet.save(reported(Fleet::max_classes)).error().code, CloudError::throttled);
    EXPECT_TRUE(fleet.save(reported(0)));
    ASSERT_TRUE(state->database.execute("COMMIT"));
    EXPECT_EQ(fleet.classes()->size(), static_cast<std::size_t>(Fleet::max_classes));
}

TEST(UpdateFiles, ReadsOneRange) {
    using api::RangeKind;
    const auto read = [](std::string_view header) {
        api::ByteRange range;
        const auto kind = api::read_range(header, 100, range);
        return std::tuple(kind, range.first, range.size);
    };
    EXPECT_EQ(read(""), std::tuple(RangeKind::whole, 0U, 100U));
    EXPECT_EQ(read("bytes=0-0"), std::tuple(RangeKind::part, 0U, 1U));
    EXPECT_EQ(read("bytes=90-"), std::tuple(RangeKind::part, 90U, 10U));
    EXPECT_EQ(read("bytes=-1"), std::tuple(RangeKind::part, 99U, 1U));
    EXPECT_EQ(read("bytes=-500"), std::tuple(RangeKind::part, 0U, 100U));
    EXPECT_EQ(read("bytes=99-18446744073709551615"), std::tuple(RangeKind::part, 99U, 1U));
    for (const auto* beyond : {"bytes=100-", "bytes=100-200", "bytes=-0"})
        EXPECT_EQ(std::get<0>(read(beyond)), RangeKind::unsatisfiable) << beyond;
    for (const auto* odd : {"bytes=", "bytes=-", "bytes=5-4", "bytes=1-2,4-5", "bytes=x-1",
                            "bytes=1-x", "bytes=99999999999999999999-", "lines=1-2"})
        EXPECT_EQ(read(odd), std::tuple(RangeKind::whole, 0U, 100U)) << odd;
}

}  // namespace
}  // namespace mitral::cloud::adu
