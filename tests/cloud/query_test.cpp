#include <gtest/gtest.h>

#include "cloud/query/continuation.hpp"
#include "cloud/query/evaluate.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::query {
namespace {

const Json& document() {
    static const Json twin = Json::parse(R"({
        "deviceId":"bed-1","status":"enabled","connectionState":"Connected",
        "tags":{"ward":"ICU","floor":3,"group":{"n":1},"o'k":true},
        "properties":{
            "desired":{"rate":250,"$version":4},
            "reported":{"rate":250,"on":true,"note":"it's","names":["a"],"none":[null],"my-key":1,
                        "from":"x","$version":9}}})");
    return twin;
}

bool holds(const std::string& condition) {
    const auto query = parse("SELECT * FROM devices WHERE " + condition);
    EXPECT_TRUE(query) << condition << ": " << (query ? "" : query.error().message());
    return query && matches(*query, document());
}

std::string fault(std::string_view text) {
    const auto query = parse(text);
    EXPECT_FALSE(query) << text;
    return query ? "" : query.error().context;
}

std::string row(const std::string& text) {
    const auto query = parse(text);
    EXPECT_TRUE(query) << text;
    return query ? dump(project(*query, document())) : "";
}

TEST(Query, Compares) {
    for (const auto* yes : {"deviceId = 'bed-1'",
                            "DeviceID = \"bed-1\"",
                            "tags.ward = 'ICU'",
                            "tags.floor = 3",
                            "tags.floor = 3.0",
                            "tags.floor >= 3 and tags.floor <= 3",
                            "tags.floor > -1",
                            "tags.floor < 1e3",
                            "tags.floor != 4",
                            "tags.floor <> 4",
                            "tags.floor != 'x'",
                            "properties.desired.rate = properties.reported.rate",
                            "properties.reported.on",
                            "properties.reported.on = true",
                            "properties.reported.note = 'it''s'",
                            "properties.reported.note = 'it\\'s'",
                            "properties.reported.my-key = 1",
                            "properties.reported.$version > 8",
                            "devices.deviceId = 'bed-1'",
                            "tags.[[o'k]] = true",
                            "properties.reported.from = 'x'",
                            "tags.ward > 'ABC'",
                            "'ICU' = tags.ward",
                            "connectionState = 'Connected' AND status = 'enabled'"})
        EXPECT_TRUE(holds(yes)) << yes;
    for (const auto* no : {"deviceId = 'Bed-1'", "tags.Ward = 'ICU'", "tags.floor = '3'",
                           "tags.floor < 3", "tags.floor < 'x'", "tags.group = tags.group", "tags",
                           "tags.ward", "tags.floor", "properties.reported.on = 1"})
        EXPECT_FALSE(holds(no)) << no;
}

TEST(Query, WhatIsNotThereIsNeitherTrueNorFalse) {
    for (const auto* no :
         {"tags.x = 1", "tags.x != 1", "NOT tags.x = 1", "tags.x IN [1]", "tags.x NOT IN [1]",
          "tags.x NIN [1]", "tags.x = 1 AND true", "NOT (tags.x = 1 AND true)",
          "STARTSWITH(tags.x, 'a')", "NOT STARTSWITH(tags.x, 'a')", "tags.ward.deeper = 1"})
        EXPECT_FALSE(holds(no)) << no;
    EXPECT_TRUE(holds("tags.x = 1 OR true"));
    EXPECT_TRUE(holds("NOT (tags.x = 1 AND false)"));
    EXPECT_TRUE(holds("NOT IS_DEFINED(tags.x)"));
}

TEST(Query, CombinesInTheUsualOrder) {
    EXPECT_TRUE(holds("true OR false AND false"));
    EXPECT_FALSE(holds("(true OR false) AND false"));
    EXPECT_TRUE(holds("NOT false AND true"));
    EXPECT_FALSE(holds("NOT (false OR true)"));
    EXPECT_TRUE(holds("not not true"));
    EXPECT_TRUE(holds("(tags.floor = 3) = true"));
}

TEST(Query, KnowsListsAndFunctions) {
    for (const auto* yes : {"tags.ward IN ['OR', 'ICU']",
                            "tags.floor in [1, 2, 3]",
                            "tags.floor IN (3)",
                            "tags.ward NIN ['a']",
                            "tags.ward NOT IN ['a']",
                            "is_defined(tags.group)",
                            "IS_OBJECT(tags.group)",
                            "IS_STRING(tags.ward)",
                            "IS_NUMBER(tags.floor)",
                            "IS_BOOL(properties.reported.on)",
                            "IS_ARRAY(properties.reported.names)",
                            "IS_PRIMITIVE(tags.floor)",
                            "NOT IS_NULL(tags.floor)",
                            "NOT IS_NULL(tags.x)",
                            "IS_NULL(null)",
                            "STARTSWITH(deviceId, 'bed')",
                            "STARTS_WITH(deviceId, 'bed')",
                            "ENDSWITH(deviceId, '-1')",
                            "CONTAINS(deviceId, 'd-')",
                            "LOWER(tags.ward) = 'icu'",
                            "UPPER(LOWER(tags.ward)) = 'ICU'",
                            "LENGTH(tags.ward) = 3",
                            "STARTSWITH(tags.ward, '')"})
        EXPECT_TRUE(holds(yes)) << yes;
    for (const auto* no : {"tags.ward IN ['icu']", "tags.ward NIN ['ICU']", "tags.floor IN ['3']",
                           "IS_STRING(tags.floor)", "STARTSWITH(tags.floor, '3')",
                           "ENDSWITH(deviceId, 'bed')", "CONTAINS(deviceId, 'x')"})
        EXPECT_FALSE(holds(no)) << no;
}

TEST(Query, Projects) {
    EXPECT_EQ(row("select DeviceId, tags.ward from devices"),
              R"({"deviceId":"bed-1","ward":"ICU"})");
    EXPECT_EQ(row("SELECT tags.ward AS w, tags.nothing FROM devices"), R"({"w":"ICU"})");
    EXPECT_EQ(row("SELECT * FROM devices"), dump(document()));
    EXPECT_EQ(parse("SELECT TOP 5 * FROM devices.modules")->top, 5U);
    EXPECT_EQ(parse("SELECT * FROM devices.modules")->collection, Query::Collection::modules);
}

std::string totals(const std::string& text, const std::vector<std::string>& documents) {
    const auto query = parse(text);
    EXPECT_TRUE(query) << text;
    Groups groups(*query);
    for (const auto& each : documents)
        EXPECT_TRUE(groups.add(Json::parse(each)));
    return dump(Json(groups.rows()));
}

TEST(Query, CountsAndGroups) {
    const std::vector<std::string> documents{R"({"s":"a","v":1})", R"({"s":"b","v":5})",
                                             R"({"s":"a","v":3})", R"({"v":"text"})"};
    EXPECT_EQ(totals("SELECT COUNT() AS n FROM devices", documents), R"([{"n":4}])");
    EXPECT_EQ(totals("SELECT COUNT() AS n FROM devices", {}), R"([{"n":0}])");
    EXPECT_EQ(totals("SELECT COUNT() FROM devices", documents), R"([{"$1":4}])");
    EXPECT_EQ(totals("SELECT s AS s, COUNT() AS n FROM devices GROUP BY s", documents),
              R"([{"n":2,"s":"a"},{"n":1,"s":"b"},{"n":1}])");
    EXPECT_EQ(totals("SELECT s, COUNT() AS n FROM devices GROUP BY s", {}), "[]");
    EXPECT_EQ(
        totals("SELECT SUM(v) AS s, MIN(v) AS l, MAX(v) AS m, AVG(v) AS a FROM devices", documents),
        R"([{"a":3.0,"l":1.0,"m":5.0,"s":9.0}])");
    EXPECT_EQ(totals("SELECT MIN(v) AS l FROM devices", {}), "[{}]");
}

TEST(Query, SaysWhereItIsWrong) {
    MITRAL_PROVES("CR 3.5", "CR 3.7");
    const std::vector<std::pair<std::string, std::string>> faults{
        {"", "column 1: expected SELECT, found the end"},
        {"SELECT", "column 7: expected *"},
        {"SELECT * FROM things", "column 15: expected devices"},
        {"SELECT * FROM devices.things", "column 23: expected modules"},
        {"SELECT * FROM devices WHERE", "column 28: expected a property"},
        {"SELECT * FROM devices WHERE a =", "column 32: expected a property"},
        {"SELECT * FROM devices WHERE a = 1 b", "column 35: expected the end"},
        {"SELECT * FROM devices WHERE a = 'x", "column 33: text without an end"},
        {"SELECT * FROM devices WHERE a = 1;", "column 34: character"},
        {"SELECT * FROM devices WHERE a = 1.2.3", "column 33: expected a number"},
        {"SELECT * FROM devices WHERE a = 12ab", "column 33: number"},
        {"SELECT * FROM devices WHERE a IN 1", "column 34: expected ["},
        {"SELECT * FROM devices WHERE EXPLODE(a)", "column 29: expected one of CONTAINS"},
        {"SELECT * FROM devices WHERE IS_DEFINED(a, b)", "column 41: expected )"},
        {"SELECT * FROM devices WHERE (a = 1", "column 35: expected )"},
        {"SELECT * FROM devices WHERE a..b = 1", "column 31: expected the name"},
        {"SELECT * FROM devices WHERE [[]] = 1", "column 29: [[name]]"},
        {"SELECT * FROM devices ORDER BY a", "column 23: expected the end"},
        {"SELECT TOP 0 * FROM devices", "column 12: expected a whole number"},
        {"SELECT tags.a, COUNT() AS n FROM devices", "column 1: with aggregates"},
        {"SELECT * FROM devices GROUP BY a", "column 1: with aggregates"}};
    for (const auto& [text, expected] : faults)
        EXPECT_TRUE(fault(text).starts_with(expected)) << text << " -> " << fault(text);
}

TEST(Query, BoundsLengthAndNesting) {
    MITRAL_PROVES("CR 3.5");
    const std::string start = "SELECT * FROM devices WHERE ";
    EXPECT_TRUE(holds(std::string(60, '(') + "true" + std::string(60, ')')));
    (void)fault(start + std::string(65, '(') + "true" + std::string(65, ')'));
    (void)fault(start + std::string(8000, '('));
    std::string negations;
    for (int i = 0; i < 65; ++i)
        negations += "NOT ";
    (void)fault(start + negations + "true");
    (void)fault(start + "a = '" + std::string(8192, 'x') + "'");
}

TEST(Continuation, BelongsToItsQuery) {
    const Continuation place{"dev", "mod", 7};
    const auto text = encode(place, "SELECT 1");
    EXPECT_EQ(*decode(text, "SELECT 1"), place);
    EXPECT_EQ(*decode("", "SELECT 1"), Continuation{});
    for (const auto& bad :
         {std::string("x"), std::string("e30="), text + "=", std::string(2000, 'A')})
        EXPECT_FALSE(decode(bad, "SELECT 1")) << bad;
    EXPECT_FALSE(decode(text, "SELECT 2"));
}

}  // namespace
}  // namespace mitral::cloud::query
