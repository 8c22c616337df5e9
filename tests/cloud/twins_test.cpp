#include "cloud/hub/twins.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "cloud/error.hpp"
#include "cloud/state.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::hub {
namespace {

class TwinsTest : public ::testing::Test {
  protected:
    TwinsTest() : state_(*State::open(directory_.path("state"), clock_)), twins_(state_->twins) {
        for (const auto* id : {"dev-1", "dev-2", "dev-3"})
            EXPECT_TRUE(state_->registry.create({.id = id}));
    }

    Twin twin(TwinName name = {"dev-1"}) {
        const auto found = twins_.find(name);
        EXPECT_TRUE(found);
        return found ? *found : Twin{};
    }
    void add_module(const std::string& device, const std::string& module) {
        EXPECT_TRUE(state_->registry.modules().create({.device = device, .id = module}));
    }
    std::vector<std::string> names(Twins::Of kind, TwinName after, std::size_t limit) {
        const auto rows = twins_.page(kind, after, limit);
        EXPECT_TRUE(rows);
        std::vector<std::string> found;
        for (const auto& row : *rows)
            found.push_back(row.device + (row.module.empty() ? "" : "/" + row.module));
        return found;
    }

    test::TemporaryDirectory directory_;
    base::ManualClock clock_{base::WallTime{1'790'000'000'000}};
    std::unique_ptr<State> state_;
    Twins& twins_;
};

TEST_F(TwinsTest, EveryDeviceHasATwin) {
    const auto fresh = twin();
    EXPECT_EQ(fresh.etag(), "AAAAAAAAAAE=");
    EXPECT_EQ(fresh.version, 2);
    EXPECT_EQ(fresh.desired.version, 1);
    EXPECT_EQ(fresh.reported.version, 1);
    EXPECT_EQ(fresh.device_etag, (*state_->registry.find("dev-1"))->etag);
    EXPECT_EQ(twins_.find({"none"}).error().code, CloudError::not_found);
    EXPECT_EQ(twins_.find({"dev-1", "m"}).error().code, CloudError::not_found);
    EXPECT_EQ(twins_.report({"none"}, "{}").error().code, CloudError::not_found);
}

TEST_F(TwinsTest, ServiceAndDeviceChangeTheirParts) {
    const auto update =
        twins_.update({"dev-1"}, {.tags = R"({"ward":"3"})", .desired = R"({"a":1})"}, "*");
    ASSERT_TRUE(update);
    EXPECT_EQ(update->twin.etag(), "AAAAAAAAAAI=");
    EXPECT_EQ(update->pushed, R"({"a":1})");
    EXPECT_EQ(*twins_.report({"dev-1"}, R"({"b":2})"), 2);
    const auto now = twin();
    EXPECT_EQ(now.tags, R"({"ward":"3"})");
    EXPECT_EQ(now.desired.values, R"({"a":1})");
    EXPECT_EQ(now.desired.version, 2);
    EXPECT_EQ(now.reported.values, R"({"b":2})");
    EXPECT_EQ(now.etag(), "AAAAAAAAAAI=");  // a report leaves the service's etag alone
    EXPECT_EQ(now.version, 4);
    const auto tags_only = twins_.update({"dev-1"}, {.tags = "{}", .replace = true}, now.etag());
    ASSERT_TRUE(tags_only);
    EXPECT_EQ(tags_only->pushed, "");
    EXPECT_EQ(tags_only->twin.desired.version, 2);
    EXPECT_EQ(twin({"dev-2"}).version, 2);
}

TEST_F(TwinsTest, EtagsGuardUpdatesAndARefusedOneChangesNothing) {
    EXPECT_EQ(twins_.update({"dev-1"}, {.tags = "{}"}, "AAAAAAAAAAI=").error().code,
              CloudError::stale_etag);
    const auto bad =
        twins_.update({"dev-1"}, {.tags = R"({"a":1})", .desired = R"({"$b":1})"}, "*");
    EXPECT_EQ(bad.error().code, CloudError::invalid_argument);
    EXPECT_EQ(twin().tags, "{}");
    EXPECT_EQ(twin().version, 2);
    EXPECT_TRUE(twins_.update({"dev-1"}, {.tags = R"({"a":1})"}, "AAAAAAAAAAE="));
}

TEST_F(TwinsTest, LivesAsLongAsTheDevice) {
    add_module("dev-1", "m");
    ASSERT_TRUE(twins_.update({"dev-1"}, {.tags = R"({"a":1})"}, "*"));
    ASSERT_TRUE(twins_.update({"dev-2"}, {.tags = R"({"a":2})"}, "*"));
    ASSERT_TRUE(state_->registry.update({.id = "dev-1", .enabled = false}, "*"));
    EXPECT_EQ(twin().tags, R"({"a":1})");
    EXPECT_FALSE(twin().enabled);
    ASSERT_TRUE(state_->registry.remove("dev-1", "*"));
    EXPECT_FALSE(twins_.find({"dev-1"}));
    EXPECT_FALSE(twins_.find({"dev-1", "m"}));
    ASSERT_TRUE(state_->registry.create({.id = "dev-1"}));
    EXPECT_EQ(twin().tags, "{}");
    EXPECT_FALSE(twins_.find({"dev-1", "m"}));
    EXPECT_EQ(twin({"dev-2"}).tags, R"({"a":2})");
}

TEST_F(TwinsTest, ModulesHaveTwinsOfTheirOwn) {
    EXPECT_EQ(twins_.note_model({"dev-1", "m"}, "dtmi:x;1").error().code, CloudError::not_found);
    add_module("dev-1", "m");
    EXPECT_EQ(twin({"dev-1", "m"}).etag(), "AAAAAAAAAAE=");
    ASSERT_TRUE(twins_.note_model({"dev-1", "m"}, "dtmi:x;1"));
    ASSERT_TRUE(twins_.report({"dev-1", "m"}, R"({"a":1})"));
    EXPECT_EQ(twin({"dev-1", "m"}).model, "dtmi:x;1");
    EXPECT_EQ(twin({"dev-1", "m"}).reported.values, R"({"a":1})");
    EXPECT_EQ(twin().reported.values, "{}");
    ASSERT_TRUE(twins_.note_model({"dev-1"}, "dtmi:y;2"));
    EXPECT_EQ(twin().model, "dtmi:y;2");
    auto& modules = state_->registry.modules();
    ASSERT_TRUE(modules.update({.device = "dev-1", .id = "m"}, "*"));
    EXPECT_EQ(twin({"dev-1", "m"}).model, "dtmi:x;1");
    ASSERT_TRUE(modules.remove("dev-1", "m", "*"));
    EXPECT_FALSE(twins_.find({"dev-1", "m"}));
    add_module("dev-1", "m");
    EXPECT_EQ(twin({"dev-1", "m"}).reported.values, "{}");
}

TEST_F(TwinsTest, PagesInOrder) {
    for (const auto* module : {"b", "a"})
        for (const auto* device : {"dev-3", "dev-1"})
            add_module(device, module);
    using Of = Twins::Of;
    using Names = std::vector<std::string>;
    EXPECT_EQ(names(Of::devices, {""}, 2), (Names{"dev-1", "dev-2"}));
    EXPECT_EQ(names(Of::devices, {"dev-2"}, 2), Names{"dev-3"});
    EXPECT_EQ(names(Of::modules, {""}, 3), (Names{"dev-1/a", "dev-1/b", "dev-3/a"}));
    EXPECT_EQ(names(Of::modules, {"dev-1", "a"}, 9), (Names{"dev-1/b", "dev-3/a", "dev-3/b"}));
}

TEST_F(TwinsTest, OutliveTheProcess) {
    ASSERT_TRUE(twins_.report({"dev-1"}, R"({"a":1})"));
    const auto again = State::open(directory_.path("state"), clock_);
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->twins.find({"dev-1"})->reported.values, R"({"a":1})");
}

TEST_F(TwinsTest, AnOlderStateGetsTheNewTables) {
    const auto path = directory_.path("old.db");
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    constexpr auto old = R"sql(
        CREATE TABLE enrollment (kind TEXT NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL,
            etag TEXT NOT NULL, enabled INTEGER NOT NULL, primary_key TEXT NOT NULL,
            secondary_key TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
            PRIMARY KEY (kind, id)) WITHOUT ROWID;
        INSERT INTO enrollment VALUES ('group', 'g', '', 'e', 1, 'p', 's', 1, 2);)sql";
    EXPECT_EQ(sqlite3_exec(raw, old, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
    for (int i = 0; i < 2; ++i) {
        const auto database = store::Database::open(path);
        ASSERT_TRUE(database) << database.error().message();
        auto query = database->prepare("SELECT id, initial_twin FROM enrollment");
        ASSERT_TRUE(*query.step());
        EXPECT_EQ(query.text(0), "g");
    }
}

TEST_F(TwinsTest, AnEmptyTextIsBoundAsATextAndNotAsNull) {
    auto query = state_->database.prepare("SELECT ? = ''");
    ASSERT_TRUE(*query.bind(std::string_view()).step());
    EXPECT_EQ(query.integer(0), 1);
}

TEST_F(TwinsTest, AStateOfANewerProgramIsLeftAlone) {
    const auto path = directory_.path("new.db");
    ASSERT_TRUE(store::Database::open(path)->execute("PRAGMA user_version = 1000"));
    const auto refused = store::Database::open(path);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, CloudError::storage);
}

}  // namespace
}  // namespace mitral::cloud::hub
