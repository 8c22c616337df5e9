#include "intake/lines/line_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "support/proves.hpp"

namespace mitral::intake {
namespace {

// Feeds `text` in pieces; what comes out, "<too long>" for a line beyond the bound.
std::vector<std::string> feed(LineBuffer& buffer, std::string_view text, std::size_t piece) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto count = std::min(piece, text.size());
        const auto space = buffer.space(count);
        EXPECT_GE(space.size(), count);
        std::copy_n(text.data(), count, reinterpret_cast<char*>(space.data()));
        buffer.filled(count);
        text.remove_prefix(count);
        for (auto line = buffer.next(); line.kind != LineBuffer::Line::Kind::none;
             line = buffer.next())
            lines.push_back(line.kind == LineBuffer::Line::Kind::too_long ? "<too long>"
                                                                          : std::string(line.text));
    }
    return lines;
}

TEST(LineBuffer, CutsLinesHoweverTheyArrive) {
    MITRAL_PROVES("T-SW-01");
    const std::string text = "one\n\ntwo\r\nthree three\nrest";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        LineBuffer buffer(16, 8);
        EXPECT_EQ(feed(buffer, text, piece),
                  (std::vector<std::string>{"one", "", "two\r", "three three"}))
            << piece;
        EXPECT_TRUE(buffer.mid_line());
        EXPECT_EQ(feed(buffer, "\n", 1), std::vector<std::string>{"rest"});
        EXPECT_FALSE(buffer.mid_line());
    }
}

TEST(LineBuffer, ALineThatIsTooLongIsReportedOnceAndSkipped) {
    MITRAL_PROVES("T-DOS-01", "T-SW-01");
    const std::string text = "ok\n" + std::string(500, 'x') + "\nfine\n" + std::string(17, 'y') +
                             "\n" + std::string(16, 'z') + "\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        LineBuffer buffer(16, 8);
        EXPECT_EQ(feed(buffer, text, piece),
                  (std::vector<std::string>{"ok", "<too long>", "fine", "<too long>",
                                            std::string(16, 'z')}))
            << piece;
    }
}

TEST(LineBuffer, AnEndlessLineTakesNoMemory) {
    MITRAL_PROVES("T-DOS-01");
    LineBuffer buffer(1024, 64);
    const std::string megabyte(1 << 20, 'x');
    std::size_t reports = 0;
    std::size_t largest = 0;
    for (int i = 0; i < 16; ++i) {
        reports += feed(buffer, megabyte, 4096).size();
        largest = std::max(largest, buffer.space(1).size());
    }
    EXPECT_EQ(reports, 1U);
    EXPECT_LT(largest, 64U * 1024);
    EXPECT_EQ(feed(buffer, "\nnext\n", 3), std::vector<std::string>{"next"});
}

TEST(LineBuffer, GivesMemoryBackAfterALongLine) {
    LineBuffer buffer(256 * 1024, 64);
    (void)feed(buffer, std::string(256 * 1024, 'x') + "\n", 65536);
    EXPECT_LE(buffer.space(1024).size(), 64U * 1024);
}

TEST(LineBuffer, RandomPiecesGiveTheSameLines) {
    std::mt19937 random(11);
    std::string text;
    std::vector<std::string> expected;
    for (int i = 0; i < 2000; ++i) {
        expected.emplace_back(random() % 100, static_cast<char>('a' + i % 26));
        text += expected.back() + "\n";
    }
    LineBuffer buffer(100, 64);
    std::vector<std::string> lines;
    for (std::string_view rest = text; !rest.empty();) {
        const auto count = std::min<std::size_t>(1 + random() % 700, rest.size());
        for (auto& line : feed(buffer, rest.substr(0, count), count))
            lines.push_back(line);
        rest.remove_prefix(count);
    }
    EXPECT_EQ(lines, expected);
}

}  // namespace
}  // namespace mitral::intake
