#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "cloud/log/lines.hpp"
#include "cloud/log/message_log.hpp"
#include "cloud/log/scrub.hpp"
#include "cloud/log/tail.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::log {
namespace {

using Json = nlohmann::json;

Entry entry(std::string_view body) {
    Entry made;
    made.enqueued = {1'767'225'600'000};
    made.device = "dev-01";
    made.message_id = "m";
    made.body = base::as_bytes(body);
    made.qos = 1;
    return made;
}

MessageLog open(const std::string& directory, std::uint64_t segment_bytes = 1 << 20,
                std::uint64_t maximum_bytes = 0) {
    auto log = MessageLog::open(
        {.directory = directory, .segment_bytes = segment_bytes, .maximum_bytes = maximum_bytes});
    EXPECT_TRUE(log);
    return *std::move(log);
}

std::vector<Json> read_all(const MessageLog& log, std::uint64_t from, std::size_t piece = 300) {
    Tail tail(log, from);
    std::vector<Json> rows;
    for (;;) {
        const auto text = tail.next(piece);
        EXPECT_TRUE(text);
        if (!text || text->empty())
            return rows;
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);)
            rows.push_back(Json::parse(line));
    }
}

TEST(Entry, SurvivesHostileText) {
    MITRAL_PROVES("T-LOG-01", "T-DATA-02");
    auto made = entry("\n\0binary\xff");
    made.body = base::as_bytes(std::string_view("\n\0bin\xff", 6));
    made.properties.emplace_back("quote\"\\", "line\nfeed \xc3\xa9 \xff \x01");
    made.properties.emplace_back("twice", "first");
    made.properties.emplace_back("twice", "second");
    made.properties.emplace_back(azure::Property("none"));
    std::string line;
    append_line(line, 3, made);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    const auto row = Json::parse(line);
    EXPECT_EQ(row["offset"], 3);
    EXPECT_EQ(row["enqueued"], "2026-01-01T00:00:00.000Z");
    EXPECT_EQ(row["properties"]["quote\"\\"], "line\nfeed \xc3\xa9 \xef\xbf\xbd \x01");
    EXPECT_EQ(row["properties"]["twice"], "second");
    EXPECT_TRUE(row["properties"]["none"].is_null());
    EXPECT_EQ(*base::from_base64(row["body"].get<std::string>()),
              base::to_bytes(std::string_view("\n\0bin\xff", 6)));
}

TEST(Entry, StampsFollowTheClientsSystemProperties) {
    azure::PropertyBag stamps;
    stamps.emplace_back("iothub-connection-device-id", "bed\"1");
    stamps.emplace_back("iothub-message-source", "Telemetry");
    const auto members = to_json_members(stamps);
    const auto system_of = [](const Entry& made) {
        std::string line;
        append_line(line, 0, made);
        return Json::parse(line)["system"];
    };
    auto made = entry("m");
    made.system.clear();
    EXPECT_EQ(system_of(made), Json::object());
    made.stamps = members;
    const Json stamped{{"iothub-connection-device-id", "bed\"1"},
                       {"iothub-message-source", "Telemetry"}};
    EXPECT_EQ(system_of(made), stamped);
    made.system.emplace_back("$.ct", "text/plain");
    auto both = stamped;
    both["$.ct"] = "text/plain";
    EXPECT_EQ(system_of(made), both);
}

TEST(MessageLog, CountsOffsetsAcrossSegmentsAndReopening) {
    const test::TemporaryDirectory directory;
    {
        auto log = open(directory.path("log"), 1000);
        for (int i = 0; i < 20; ++i) {
            EXPECT_EQ(log.append(entry(std::to_string(i))), static_cast<std::uint64_t>(i));
            ASSERT_TRUE(log.commit());
        }
        EXPECT_GT(log.segments().size(), 2U);
    }
    auto log = open(directory.path("log"), 1000);
    EXPECT_EQ(log.end_offset(), 20U);
    EXPECT_EQ(log.append(entry("next")), 20U);
    ASSERT_TRUE(log.commit());
    for (const std::uint64_t from : {0U, 1U, 7U, 19U, 20U}) {
        const auto rows = read_all(log, from);
        ASSERT_EQ(rows.size(), 21 - from);
        for (std::size_t i = 0; i < rows.size(); ++i)
            EXPECT_EQ(rows[i]["offset"], from + i);
    }
    EXPECT_TRUE(read_all(log, 21).empty());
    EXPECT_TRUE(read_all(log, 9'999).empty());
}

TEST(MessageLog, WhatIsNotCommittedIsNotThere) {
    const test::TemporaryDirectory directory;
    {
        auto log = open(directory.path("log"));
        (void)log.append(entry("kept"));
        ASSERT_TRUE(log.commit());
        (void)log.append(entry("lost"));
        EXPECT_EQ(log.end_offset(), 1U);
    }
    EXPECT_EQ(read_all(open(directory.path("log")), 0).size(), 1U);
}

TEST(MessageLog, CutsATornLineAndGoesOn) {
    MITRAL_PROVES("T-DATA-01");
    const test::TemporaryDirectory directory;
    std::string path;
    {
        auto log = open(directory.path("log"));
        (void)log.append(entry("whole"));
        ASSERT_TRUE(log.commit());
        path = log.path_of(log.segments().front());
    }
    std::ofstream(path, std::ios::app) << R"({"offset":1,"enq)";
    auto log = open(directory.path("log"));
    EXPECT_EQ(log.end_offset(), 1U);
    (void)log.append(entry("after"));
    ASSERT_TRUE(log.commit());
    const auto rows = read_all(log, 0);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1]["offset"], 1);
}

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Ten messages, and what `damage` makes of the file of the first segment.
class DamagedLog : public testing::Test {
  protected:
    static constexpr std::uint64_t count = 10;

    MessageLog damaged(const std::function<void(std::string&)>& damage,
                       std::uint64_t segment_bytes = 1 << 20) {
        path_ = directory_.path(std::to_string(++made_));
        auto log = open(path_, segment_bytes);
        for (std::uint64_t i = 0; i < count; ++i) {
            (void)log.append(entry("message " + std::to_string(i)));
            EXPECT_TRUE(log.commit());
        }
        const auto path = log.path_of(log.segments().front());
        auto content = content_of(path);
        damage(content);
        std::ofstream(path, std::ios::binary) << content;
        return open(path_, segment_bytes);
    }
    static std::size_t line(const std::string& content, std::size_t number) {
        std::size_t at = 0;
        for (; number > 0; --number)
            at = content.find('\n', at) + 1;
        return at;
    }
    static std::vector<std::uint64_t> offsets(const MessageLog& log, std::uint64_t from = 0) {
        std::vector<std::uint64_t> found;
        for (const auto& row : read_all(log, from))
            found.push_back(row["offset"].get<std::uint64_t>());
        return found;
    }

    mitral::test::TemporaryDirectory directory_;
    std::string path_;
    int made_ = 0;
};

TEST_F(DamagedLog, AFlippedBitInTheMiddleIsToldAndTheRestIsRead) {
    MITRAL_PROVES("T-DATA-01", "CR 3.4");
    // In the head, the body and the checksum of a line.
    for (const std::size_t inside : {3U, 11U, 40U, 180U}) {
        auto log = damaged([&](std::string& content) { content[line(content, 4) + inside] ^= 1; });
        EXPECT_EQ(log.end_offset(), count);
        EXPECT_EQ(log.damage().missing(), 1U) << inside;
        EXPECT_EQ(offsets(log), (std::vector<std::uint64_t>{0, 1, 2, 3, 5, 6, 7, 8, 9}));
        EXPECT_EQ(offsets(log, 4), (std::vector<std::uint64_t>{5, 6, 7, 8, 9}));
        EXPECT_EQ(log.damage().missing(), 1U);  // however often it is read
        EXPECT_EQ(log.append(entry("next")), count);
        ASSERT_TRUE(log.commit());
        EXPECT_EQ(offsets(log, 9), (std::vector<std::uint64_t>{9, 10}));
    }
}

TEST_F(DamagedLog, ControlAWholeLogMissesNothing) {
    MITRAL_PROVES("T-DATA-01");
    const auto log = damaged([](std::string&) {});
    EXPECT_EQ(offsets(log).size(), count);
    EXPECT_EQ(log.damage().missing(), 0U);
}

TEST_F(DamagedLog, LostLineFeedsTakeTheirTwoLinesAndNoMore) {
    const auto log = damaged([&](std::string& content) { content[line(content, 5) - 1] = 'x'; });
    EXPECT_EQ(log.end_offset(), count);
    EXPECT_EQ(offsets(log), (std::vector<std::uint64_t>{0, 1, 2, 3, 6, 7, 8, 9}));
    EXPECT_EQ(log.damage().missing(), 2U);
}

TEST_F(DamagedLog, ADamagedEndKeepsItsOffset) {
    MITRAL_PROVES("T-DATA-01");
    auto log = damaged([&](std::string& content) { content[line(content, 9) + 50] ^= 4; });
    EXPECT_EQ(log.end_offset(), count);  // it was acknowledged: nobody else gets it
    EXPECT_EQ(log.damage().missing(), 1U);
    EXPECT_EQ(log.append(entry("next")), count);
}

TEST_F(DamagedLog, ALineThatLacksOnlyItsFeedIsMended) {
    const auto log = damaged([](std::string& content) { content.back() = 'x'; });
    EXPECT_EQ(offsets(log).size(), count);
    EXPECT_EQ(log.damage().missing(), 0U);
}

TEST_F(DamagedLog, OlderSegmentsAreCheckedBesideOtherWork) {
    MITRAL_PROVES("T-DATA-01");
    const auto log = damaged([&](std::string& content) { content[content.size() / 2] ^= 1; }, 500);
    ASSERT_GT(log.segments().size(), 2U);
    EXPECT_EQ(log.damage().missing(), 0U);  // nobody has looked yet
    const auto loop = base::EventLoop::create().value();
    const Scrub scrub(*loop, log);
    while (!scrub.done())
        ASSERT_TRUE(loop->run_once(base::Milliseconds(1'000)));
    EXPECT_EQ(log.damage().missing(), 1U);
}

TEST_F(DamagedLog, ASegmentThatLostItsEndOrIsGoneIsAGap) {
    const auto log =
        damaged([&](std::string& content) { content.resize(line(content, 1) + 7); }, 500);
    const auto gap = log.segments()[1].first - 1;
    ASSERT_GT(gap, 0U);
    EXPECT_EQ(offsets(log).size(), count - gap);
    EXPECT_EQ(log.damage().missing(), gap);
    const auto middle = log.segments()[1];
    const auto next = log.segments()[2].first;
    std::filesystem::remove(log.path_of(middle));
    const auto again = open(path_, 500);
    EXPECT_EQ(offsets(again).size(), count - gap - (next - middle.first));
    EXPECT_EQ(again.damage().missing(), gap + (next - middle.first));
}

TEST_F(DamagedLog, NoiseWithoutLinesIsPassedOver) {
    const auto log =
        damaged([&](std::string& content) { content.assign(2 * longest_line + 5, '\0'); }, 500);
    const auto second = log.segments()[1].first;
    EXPECT_EQ(offsets(log).front(), second);
    EXPECT_EQ(log.damage().missing(), second);
}

TEST_F(DamagedLog, ReadsLinesOfVersionsWithoutChecksums) {
    auto log = damaged([](std::string& content) {
        for (auto at = content.find(",\"crc32c\""); at != std::string::npos;
             at = content.find(",\"crc32c\""))
            content.erase(at, content.find('}', at) - at);
    });
    EXPECT_EQ(offsets(log).size(), count);
    EXPECT_EQ(log.append(entry("with")), count);
    ASSERT_TRUE(log.commit());
    EXPECT_EQ(offsets(log).size(), count + 1);
    EXPECT_EQ(log.damage().missing(), 0U);
}

TEST(Damage, CountsOverlappingGapsOnce) {
    Damage damage;
    for (const auto& [first, end] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
             {5, 8}, {5, 8}, {6, 7}, {7, 10}, {20, 20}, {3, 5}, {30, 31}, {1, 32}, {2, 9}})
        damage.note(first, end, "segment");
    EXPECT_EQ(damage.missing(), 31U);
}

TEST(MessageLog, AFailedWriteTakesTheBatchBack) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    const test::TemporaryDirectory directory;
    auto log = open(directory.path("log"), 100);
    (void)log.append(entry("first"));
    ASSERT_TRUE(log.commit());
    // The next commit must start a segment; a file stands where the directory was.
    std::filesystem::rename(directory.path("log"), directory.path("moved"));
    std::ofstream(directory.path("log")) << "in the way";
    (void)log.append(entry("refused"));
    EXPECT_FALSE(log.commit());
    EXPECT_EQ(log.end_offset(), 1U);
    std::filesystem::remove(directory.path("log"));
    std::filesystem::rename(directory.path("moved"), directory.path("log"));
    EXPECT_EQ(log.append(entry("again")), 1U);
    ASSERT_TRUE(log.commit());
    EXPECT_EQ(read_all(log, 0).size(), 2U);
}

TEST(MessageLog, DropsTheOldestBeyondItsBound) {
    MITRAL_PROVES("T-DOS-02");
    const test::TemporaryDirectory directory;
    auto log = open(directory.path("log"), 1000, 3000);
    for (int i = 0; i < 100; ++i) {
        (void)log.append(entry("x"));
        ASSERT_TRUE(log.commit());
    }
    EXPECT_LT(log.bytes(), 4500U);
    EXPECT_GT(log.first_offset(), 0U);
    const auto rows = read_all(log, 0);
    ASSERT_FALSE(rows.empty());
    EXPECT_EQ(rows.front()["offset"], log.first_offset());
    EXPECT_EQ(rows.back()["offset"], 99);
}

TEST(Tail, FollowsAndReadsLinesLongerThanItsWindow) {
    const test::TemporaryDirectory directory;
    auto log = open(directory.path("log"));
    Tail tail(log, 0);
    EXPECT_EQ(*tail.next(100), "");
    (void)log.append(entry(std::string(50'000, 'a')));
    EXPECT_EQ(*tail.next(100), "");  // not committed yet
    ASSERT_TRUE(log.commit());
    EXPECT_GT(tail.next(100)->size(), 50'000U);
    EXPECT_EQ(*tail.next(100), "");
}

}  // namespace
}  // namespace mitral::cloud::log
