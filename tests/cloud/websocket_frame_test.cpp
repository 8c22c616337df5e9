#include <gtest/gtest.h>

#include "cloud/websocket/reader.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::websocket {
namespace {

using base::Bytes;
using Event = Reader::Event;

constexpr MaskingKey rfc_key{0x37, 0xfa, 0x21, 0x3d};

Bytes joined(const std::vector<Bytes>& parts) {
    Bytes all;
    for (const auto& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

// As a client sends it, the payload in clear.
Bytes masked(std::uint8_t first, std::string_view payload, MaskingKey key = rfc_key) {
    Bytes frame;
    append_frame_header(frame, Opcode::binary, payload.size());
    frame[0] = first;
    frame[1] |= 0x80;
    frame.insert(frame.end(), key.begin(), key.end());
    auto body = base::to_bytes(payload);
    apply_mask(body, key, 0);
    frame.insert(frame.end(), body.begin(), body.end());
    return frame;
}

struct Heard {
    std::string data;
    std::vector<std::string> controls;  // "ping Hello"
    std::optional<CloseCode> violation;
};

// Feeds `sent` in pieces of `step` bytes, as a connection does.
Heard hear(const Bytes& sent, std::size_t step = 4096, std::uint64_t limit = 1024) {
    Reader reader(limit);
    Heard heard;
    Bytes data;
    Bytes kept;
    for (std::size_t at = 0; at < sent.size(); at += step) {
        kept.insert(kept.end(), sent.begin() + static_cast<std::ptrdiff_t>(at),
                    sent.begin() + static_cast<std::ptrdiff_t>(std::min(at + step, sent.size())));
        base::ByteView input(kept);
        for (bool more = true; more;) {
            const auto event = reader.next(input, data);
            if (!event) {
                heard.violation = event.error().code;
                heard.data = base::as_text(data);
                return heard;
            }
            more = *event != Event::needs_more;
            const auto control = std::string(base::as_text(reader.control()));
            if (*event == Event::ping)
                heard.controls.push_back("ping " + control);
            else if (*event == Event::pong)
                heard.controls.push_back("pong " + control);
            else if (*event == Event::close)
                heard.controls.push_back("close " + control);
        }
        kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(input.size()));
    }
    heard.data = base::as_text(data);
    return heard;
}

FrameHeader header_of(const Bytes& bytes) {
    const auto header = parse_frame_header(bytes);
    EXPECT_TRUE(header && *header);
    return header && *header ? **header : FrameHeader{};
}

// RFC 6455 §5.7, byte for byte.
TEST(WebsocketFrame, ReadsTheExamplesOfTheStandard) {
    const auto plain = header_of({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f});
    EXPECT_EQ(plain.opcode, Opcode::text);
    EXPECT_TRUE(plain.final);
    EXPECT_FALSE(plain.mask);
    EXPECT_EQ(plain.length, 5U);
    EXPECT_EQ(plain.size, 2U);

    Bytes hello{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    const auto with_mask = header_of(hello);
    ASSERT_TRUE(with_mask.mask);
    EXPECT_EQ(with_mask.size, 6U);
    apply_mask(base::MutableByteView(hello).subspan(6), *with_mask.mask, 0);
    EXPECT_EQ(base::as_text(base::ByteView(hello).subspan(6)), "Hello");

    const auto first = header_of({0x01, 0x03, 0x48, 0x65, 0x6c});
    EXPECT_EQ(first.opcode, Opcode::text);
    EXPECT_FALSE(first.final);
    const auto last = header_of({0x80, 0x02, 0x6c, 0x6f});
    EXPECT_EQ(last.opcode, Opcode::continuation);
    EXPECT_TRUE(last.final);

    EXPECT_EQ(header_of({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}).opcode, Opcode::ping);
    const Bytes pong{0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    EXPECT_EQ(hear(pong).controls, std::vector<std::string>{"pong Hello"});

    const auto medium = header_of({0x82, 0x7e, 0x01, 0x00});
    EXPECT_EQ(medium.length, 256U);
    EXPECT_EQ(medium.size, 4U);
    const auto large = header_of({0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0});
    EXPECT_EQ(large.length, 65'536U);
    EXPECT_EQ(large.size, 10U);
}

TEST(WebsocketFrame, WritesTheExamplesOfTheStandard) {
    const auto header = [](Opcode opcode, std::uint64_t length) {
        Bytes out;
        append_frame_header(out, opcode, length);
        return out;
    };
    EXPECT_EQ(header(Opcode::text, 5), (Bytes{0x81, 0x05}));
    EXPECT_EQ(header(Opcode::pong, 125), (Bytes{0x8a, 0x7d}));
    EXPECT_EQ(header(Opcode::binary, 126), (Bytes{0x82, 0x7e, 0x00, 0x7e}));
    EXPECT_EQ(header(Opcode::binary, 256), (Bytes{0x82, 0x7e, 0x01, 0x00}));
    EXPECT_EQ(header(Opcode::binary, 65'535), (Bytes{0x82, 0x7e, 0xff, 0xff}));
    EXPECT_EQ(header(Opcode::binary, 65'536), (Bytes{0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0}));
    Bytes close;
    append_close(close, CloseCode::message_too_big);
    append_close(close, std::nullopt);
    EXPECT_EQ(close, (Bytes{0x88, 0x02, 0x03, 0xf1, 0x88, 0x00}));
}

TEST(WebsocketReader, JoinsFragmentsAndHearsControlFramesBetweenThem) {
    const auto sent = joined({masked(0x02, "Hel"), masked(0x89, "Hello"), masked(0x00, "lo, "),
                              masked(0x8a, ""), masked(0x80, "world", {9, 8, 7, 6}),
                              masked(0x82, ""), masked(0x82, "!"), masked(0x88, "\x03\xe8")});
    const std::vector<std::string> controls{"ping Hello", "pong ", "close \x03\xe8"};
    for (const std::size_t step : {1U, 2U, 3U, 5U, 7U, 4096U}) {
        const auto heard = hear(sent, step);
        EXPECT_EQ(heard.data, "Hello, world!") << step;
        EXPECT_EQ(heard.controls, controls) << step;
        EXPECT_FALSE(heard.violation) << step;
    }
}

TEST(WebsocketReader, HandsOnPayloadThatIsNotComplete) {
    auto sent = masked(0x82, std::string(200, 'x'));
    sent.resize(sent.size() - 150);
    EXPECT_EQ(hear(sent).data, std::string(50, 'x'));
}

TEST(WebsocketReader, RefusesWhatTheStandardForbids) {
    MITRAL_PROVES("T-SW-03", "CR 3.5");
    const auto long_ping = masked(0x89, std::string(126, 'x'));
    const auto wide_length = [](std::vector<std::uint8_t> length) {
        return joined({{0x82}, std::move(length), {1, 2, 3, 4}});
    };
    struct Case {
        const char* name;
        Bytes sent;
    };
    const std::vector<Case> cases{
        {"no mask", {0x82, 0x01, 'x'}},
        {"no mask on a control frame", {0x89, 0x00}},
        {"first reserved bit (compression)", masked(0xc2, "x")},
        {"second reserved bit", masked(0xa2, "x")},
        {"third reserved bit", masked(0x92, "x")},
        {"reserved opcode 3", masked(0x83, "x")},
        {"reserved opcode 15", masked(0x8f, "x")},
        {"ping in fragments", masked(0x09, "x")},
        {"ping of 126 bytes", long_ping},
        {"continuation of nothing", masked(0x80, "x")},
        {"continuation after the last", joined({masked(0x82, "x"), masked(0x80, "x")})},
        {"message within a message", joined({masked(0x02, "x"), masked(0x82, "x")})},
        {"125 in 16 bits", wide_length({0xfe, 0x00, 0x7d})},
        {"65,535 in 64 bits", wide_length({0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff})},
        {"2^63", wide_length({0xff, 0x80, 0, 0, 0, 0, 0, 0, 0})},
    };
    for (const auto& [name, sent] : cases)
        for (const std::size_t step : {1U, 4096U}) {
            const auto heard = hear(sent, step);
            ASSERT_TRUE(heard.violation) << name;
            EXPECT_EQ(*heard.violation, CloseCode::protocol_error) << name;
        }
    // The control: the same frames, but as they should be.
    EXPECT_FALSE(hear(masked(0x82, "x")).violation);
    EXPECT_FALSE(hear(masked(0x89, std::string(125, 'x'))).violation);
    EXPECT_FALSE(hear(masked(0x82, std::string(126, 'x'))).violation);
}

TEST(WebsocketReader, RefusesTextAndWhatIsTooLarge) {
    MITRAL_PROVES("T-SW-03", "T-DOS-04", "CR 7.1");
    EXPECT_EQ(hear(masked(0x81, "x")).violation, CloseCode::unsupported_data);
    EXPECT_FALSE(hear(masked(0x82, std::string(1024, 'x'))).violation);
    EXPECT_EQ(hear(masked(0x82, std::string(1025, 'x'))).violation, CloseCode::message_too_big);
    // All fragments count, and a length alone is enough.
    const auto half = std::string(512, 'x');
    EXPECT_FALSE(hear(joined({masked(0x02, half), masked(0x80, half)})).violation);
    EXPECT_EQ(hear(joined({masked(0x02, half), masked(0x00, half), masked(0x80, "x")})).violation,
              CloseCode::message_too_big);
    EXPECT_FALSE(
        hear(joined({masked(0x82, half), masked(0x82, half), masked(0x82, "x")})).violation);
    EXPECT_EQ(
        hear({0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}).violation,
        CloseCode::message_too_big);
}

TEST(WebsocketClose, KnowsWhichCodesMayBeSent) {
    const auto parse = [](std::uint16_t code) {
        return parse_close(Bytes{static_cast<std::uint8_t>(code >> 8),
                                 static_cast<std::uint8_t>(code & 0xff), 'b', 'y', 'e'});
    };
    for (const std::uint16_t good :
         std::array<std::uint16_t, 8>{1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999}) {
        const auto code = parse(good);
        ASSERT_TRUE(code && *code) << good;
        EXPECT_EQ(static_cast<std::uint16_t>(**code), good);
    }
    for (const std::uint16_t bad :
         std::array<std::uint16_t, 10>{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
        EXPECT_FALSE(parse(bad)) << bad;
    EXPECT_FALSE(parse_close(Bytes{0x03}));
    const auto none = parse_close({});
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
}

}  // namespace
}  // namespace mitral::cloud::websocket
