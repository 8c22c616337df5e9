#include "intake/hl7/mllp_decoder.hpp"
#include "support/proves.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <string>

namespace mitral::intake::hl7 {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = MllpDecoder::Kind;

struct Seen {
    Kind kind;
    std::string text;
    bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) {
    *out << static_cast<int>(seen.kind) << ":" << testing::PrintToString(seen.text);
}
Seen frame(std::string text) {
    return {Kind::frame, std::move(text)};
}

void feed(MllpDecoder& decoder, std::string_view bytes, std::vector<Seen>& seen) {
    const auto space = decoder.space(bytes.size());
    std::memcpy(space.data(), bytes.data(), bytes.size());
    decoder.filled(bytes.size());
    for (auto event = decoder.next(); event.kind != Kind::none; event = decoder.next())
        seen.push_back({event.kind, std::string(event.text)});
}

std::vector<Seen> decode(std::string_view bytes, std::size_t piece, std::uint64_t* junk = nullptr,
                         std::size_t longest = MllpDecoder::longest_frame) {
    MllpDecoder decoder(longest);
    std::vector<Seen> seen;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
        feed(decoder, bytes.substr(0, piece), seen);
    if (junk != nullptr)
        *junk = decoder.junk();
    return seen;
}

// With and without a CR before FS, without the CR behind it, with noise between.
constexpr std::string_view stream =
    "\x0BMSH|one\r\x1C\r"
    "\x0BMSH|two\x1C\r"
    "noise\r\n"
    "\x0BMSH|three\x1C"
    "\x0BMSH|four\r\x1C\r";

TEST(MllpDecoderTest, FindsTheFramesHoweverTheStreamIsSplit) {
    MITRAL_PROVES("T-MON-04", "CR 3.5");
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        std::uint64_t junk = 0;
        EXPECT_THAT(decode(stream, piece, &junk),
                    ElementsAre(frame("MSH|one\r"), frame("MSH|two"), frame("MSH|three"),
                                frame("MSH|four\r")))
            << "in pieces of " << piece;
        EXPECT_EQ(junk, 7U) << "in pieces of " << piece;
    }
}

TEST(MllpDecoderTest, AFrameWithoutAnEndIsNotAMessage) {
    std::uint64_t junk = 0;
    EXPECT_THAT(decode("\x0BMSH|cut off", 5, &junk), IsEmpty());
    EXPECT_EQ(junk, 0U);
    EXPECT_THAT(decode("\x0BMSH|cut off\x0BMSH|again\x1C\r", 5, &junk),
                ElementsAre(Seen{Kind::unfinished, "MSH|cut off"}, frame("MSH|again")));
    EXPECT_EQ(junk, 11U);
}

TEST(MllpDecoderTest, AFrameThatIsTooLongIsPassedOverAndTheNextIsFound) {
    MITRAL_PROVES("T-MON-03", "T-MON-04");
    const std::string bytes = "\x0BMSH|" + std::string(40, 'x') + "\x1C\r\x0BMSH|next\x1C\r";
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        const auto seen = decode(bytes, piece, nullptr, 20);
        ASSERT_EQ(seen.size(), 2U) << "in pieces of " << piece;
        EXPECT_EQ(seen[0].kind, Kind::too_long);
        EXPECT_EQ(seen[0].text, "MSH|" + std::string(16, 'x'));
        EXPECT_EQ(seen[1], frame("MSH|next"));
    }
}

TEST(MllpDecoderTest, AFrameOfTheBoundIsTaken) {
    const std::string content(20, 'x');
    EXPECT_THAT(decode("\x0B" + content + "\x1C\r", 7, nullptr, 20), ElementsAre(frame(content)));
}

TEST(MllpDecoderTest, ATooLongFrameThatIsGivenUpEndsWithTheNextStart) {
    const std::string bytes = "\x0B" + std::string(40, 'x') + "\x0BMSH|next\x1C\r";
    const auto seen = decode(bytes, 9, nullptr, 20);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[1], frame("MSH|next"));
}

TEST(MllpDecoderTest, AnEmptyFrameIsAFrame) {
    EXPECT_THAT(decode("\x0B\x1C\r", 1), ElementsAre(frame("")));
}

TEST(MllpDecoderTest, ALongFrameGivesItsMemoryBack) {
    MllpDecoder decoder;
    std::vector<Seen> seen;
    feed(decoder, "\x0B" + std::string(1 << 20, 'x') + "\x1C\r", seen);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_LE(decoder.space(1024).size(), 64U * 1024);
    EXPECT_FALSE(decoder.mid_frame());
}

}  // namespace
}  // namespace mitral::intake::hl7
