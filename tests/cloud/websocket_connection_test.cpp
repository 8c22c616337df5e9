#include "cloud/websocket/connection.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "cloud/error.hpp"
#include "cloud/front/link_pool.hpp"
#include "cloud/http/connection.hpp"
#include "cloud/websocket/handshake.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::websocket {
namespace {

// Answers every line with itself after the commit; in one, 'q' asks to be closed, 'd' for a
// deadline that has come, 'e' is an error.
class Lines final : public front::Protocol {
  public:
    Lines(front::Transport& transport, std::string& ended) : Protocol(transport), ended_(ended) {}
    base::Result<std::size_t> on_bytes(base::ByteView input) override {
        std::size_t taken = 0;
        for (std::size_t i = 0; i < input.size(); ++i)
            if (input[i] == '\n') {
                const auto line = base::as_text(input.subspan(taken, i + 1 - taken));
                taken = i + 1;
                if (line.find('e') != std::string_view::npos)
                    return base::fail(CloudError::malformed_packet, "an e");
                if (line.find('q') != std::string_view::npos)
                    transport().close_when_sent("asked to");  // before its last answer
                if (line.find('d') != std::string_view::npos)
                    transport().set_deadline(transport().clock().monotonic());
                transport().send_after_commit(base::as_bytes(line));
            }
        return taken;
    }
    void on_deadline() override { transport().close_when_sent("too slow"); }
    void on_closed(std::string_view reason) override { ended_ += std::string(reason) + ";"; }

  private:
    std::string& ended_;
};

class WebsocketTest : public ::testing::Test {
  protected:
    WebsocketTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        client_ = base::UniqueFd(ends[1]);
        pool_.adopt(net::Stream(base::UniqueFd(ends[0])), [this](front::Link& link) {
            return std::make_unique<http::Connection>(link, handler_);
        });
    }
    void turn(int times = 10) {
        for (int i = 0; i < times; ++i)
            ASSERT_TRUE(loop_->run_once(base::Milliseconds(1)));
    }
    void write(std::string_view text) {
        ASSERT_EQ(::write(client_.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
        turn();
    }
    std::string read() {
        std::string text(64 * 1024, '\0');
        const auto got = ::read(client_.get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    static std::string frame(std::uint8_t first, std::string_view payload) {
        base::Bytes out;
        append_frame_header(out, Opcode::binary, payload.size());
        out[0] = first;
        out[1] |= 0x80;
        constexpr MaskingKey key{1, 2, 3, 4};
        out.insert(out.end(), key.begin(), key.end());
        auto body = base::to_bytes(payload);
        apply_mask(body, key, 0);
        out.insert(out.end(), body.begin(), body.end());
        return std::string(base::as_text(out));
    }
    void open() {
        write(opening);
        EXPECT_TRUE(read().starts_with("HTTP/1.1 101 "));
    }

    static constexpr std::string_view opening =
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::SystemClock clock_;
    std::string ended_;
    http::Handler handler_ = [this](const http::Request& request) {
        auto response = answer_handshake(request, "mqtt");
        response.upgrade = [this](front::Link& link) {
            return std::make_unique<Connection>(link, [this](front::Transport& transport) {
                return std::make_unique<Lines>(transport, ended_);
            });
        };
        return response;
    };
    front::LinkPool pool_{*loop_, clock_, {}};
    base::UniqueFd client_;
};

constexpr std::string_view close_1000{"\x88\x02\x03\xe8", 4};
constexpr std::string_view close_1002{"\x88\x02\x03\xea", 4};
constexpr std::string_view close_1011{"\x88\x02\x03\xf3", 4};

TEST_F(WebsocketTest, OpensAsTheStandardShows) {
    write(opening);
    EXPECT_EQ(read(),
              "HTTP/1.1 101 Switching Protocols\r\nServer: mitral-cloud\r\nUpgrade: websocket\r\n"
              "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
              "Sec-WebSocket-Protocol: mqtt\r\n\r\n");
}

TEST_F(WebsocketTest, TakesFramesThatCameWithTheOpening) {
    write(std::string(opening) + frame(0x82, "a\n"));
    EXPECT_TRUE(
        read().ends_with("\r\n\r\n\x82\x02"
                         "a\n"));
}

TEST_F(WebsocketTest, IsOneStreamWhereverFramesAreCut) {
    open();
    write(frame(0x82, "a\nb\nc"));
    EXPECT_EQ(read(),
              "\x82\x02"
              "a\n\x82\x02"
              "b\n");
    write(frame(0x02, "") + frame(0x89, "still there?") + frame(0x80, "c"));
    EXPECT_EQ(read(), "\x8a\x0cstill there?");
    write(frame(0x82, "\n"));
    EXPECT_EQ(read(),
              "\x82\x03"
              "cc\n");
}

TEST_F(WebsocketTest, SendsTheLastAnswersBeforeItCloses) {
    open();
    write(frame(0x82, "q\n"));
    EXPECT_EQ(read(), "\x82\x02q\n" + std::string(close_1000));
    EXPECT_EQ(pool_.size(), 1U);  // the peer's Close is awaited
    write(frame(0x82, "more\n") + frame(0x89, "x"));
    EXPECT_EQ(read(), "");
    write(frame(0x88, close_1000.substr(2)));
    EXPECT_EQ(pool_.size(), 0U);
    EXPECT_EQ(ended_, "asked to;");
}

TEST_F(WebsocketTest, AnswersTheClientsCloseWithItsCode) {
    open();
    write(frame(0x82, "a\n") + frame(0x88, "\x03\xe9going away") + frame(0x82, "b\n"));
    EXPECT_EQ(read(),
              "\x82\x02"
              "a\n\x88\x02\x03\xe9");
    EXPECT_EQ(pool_.size(), 0U);
    EXPECT_EQ(ended_, "closed by the client;");
}

TEST_F(WebsocketTest, HandsDeadlinesOnAndClosesWithTheHandshake) {
    open();
    write(frame(0x82, "d\n"));
    std::string answered;
    for (int i = 0; i < 1000 && !answered.ends_with(close_1000); ++i) {
        turn(1);
        answered += read();
    }
    EXPECT_EQ(answered,
              "\x82\x02"
              "d\n" +
                  std::string(close_1000));
    write(frame(0x88, close_1000.substr(2)));
    EXPECT_EQ(ended_, "too slow;");
}

TEST_F(WebsocketTest, SaysWhyItFailsAndHearsNothingMore) {
    MITRAL_PROVES("T-SW-03", "CR 3.5");
    open();
    write(frame(0x82, "a\n") + std::string("\x82\x01x", 3) + frame(0x82, "b\n"));
    EXPECT_EQ(read(),
              "\x82\x02"
              "a\n" +
                  std::string(close_1002));
    EXPECT_EQ(ended_, "frame without a mask;");
    write(frame(0x82, "c\n"));
    EXPECT_EQ(read(), "");
    client_.reset();
    turn();
    EXPECT_EQ(pool_.size(), 0U);
    EXPECT_EQ(ended_, "frame without a mask;");  // told once
}

TEST_F(WebsocketTest, RefusesACloseCodeThatMustNotBeSent) {
    open();
    write(frame(0x88, "\x03\xed"));
    EXPECT_EQ(read(), close_1002);
}

TEST_F(WebsocketTest, SaysWhenTheProtocolInsideFailed) {
    open();
    write(frame(0x82, "e\n"));
    EXPECT_EQ(read(), close_1011);
    EXPECT_EQ(ended_, "protocol inside failed;");
}

TEST_F(WebsocketTest, AnswersOnlyAfterTheCommit) {
    MITRAL_PROVES("T-DATA-01");
    open();
    pool_.set_commit([] { return base::Status(base::fail(CloudError::storage, "disk full")); });
    write(frame(0x82, "a\n"));
    EXPECT_EQ(read(), "");
    EXPECT_EQ(ended_, "message log cannot be written;");
}

TEST_F(WebsocketTest, CountsWhatItKeepsAgainstTheLimitOfAllConnections) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    open();
    EXPECT_LT(pool_.buffered_bytes(), 10'000U);
    write(frame(0x82, std::string(50'000, 'x')));  // no end of line: the protocol inside keeps all
    EXPECT_GE(pool_.buffered_bytes(), 50'000U);
    write(frame(0x82, "\n"));
    read();
    EXPECT_LT(pool_.buffered_bytes(), 20'000U);
}

TEST_F(WebsocketTest, StopsReadingFromAClientThatDoesNotRead) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    open();
    const auto block = frame(0x82, std::string(16 * 1024 - 1, 'x') + "\n");
    std::size_t sent = 0;
    for (int i = 0; i < 600; ++i) {
        const auto wrote = ::send(client_.get(), block.data(), block.size(), MSG_NOSIGNAL);
        sent += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
        if (wrote > 0 && static_cast<std::size_t>(wrote) < block.size())
            break;
        turn(1);
    }
    EXPECT_LT(sent, 4U * 1024 * 1024);  // of 9 MB offered
    EXPECT_LT(pool_.buffered_bytes(), 2U * 1024 * 1024);
    EXPECT_EQ(pool_.size(), 1U);
}

http::Request opening_request() {
    http::Request request;
    request.method = http::Method::get;
    request.headers = {{"host", "h"},
                       {"upgrade", "WebSocket"},
                       {"connection", "keep-alive, Upgrade"},
                       {"sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="},
                       {"sec-websocket-version", "13"},
                       {"sec-websocket-protocol", "chat,  MQTT"}};
    return request;
}

TEST(WebsocketHandshake, TakesSubprotocolsInAnyCaseAndRepeatsThemAsWritten) {
    const auto response = answer_handshake(opening_request(), "mqtt");
    EXPECT_EQ(response.status, 101U);
    EXPECT_EQ(response.headers.back().second, "MQTT");
}

TEST(WebsocketHandshake, RefusesWhatIsNoOpening) {
    const auto status = [](const std::string& name, const std::string& value) {
        auto request = opening_request();
        request.headers[name] = value;
        return answer_handshake(request, "mqtt").status;
    };
    EXPECT_EQ(status("x-any", "1"), 101U);  // the control
    EXPECT_EQ(status("host", ""), 400U);
    EXPECT_EQ(status("upgrade", "h2c"), 400U);
    EXPECT_EQ(status("connection", "keep-alive"), 400U);
    EXPECT_EQ(status("sec-websocket-key", ""), 400U);
    EXPECT_EQ(status("sec-websocket-key", "c2hvcnQ="), 400U);
    EXPECT_EQ(status("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="),
              400U);
    EXPECT_EQ(status("sec-websocket-protocol", "chat, mqttx, xmqtt"), 400U);
    EXPECT_EQ(status("sec-websocket-protocol", ""), 400U);
    auto request = opening_request();
    request.headers["sec-websocket-version"] = "8";
    const auto refused = answer_handshake(request, "mqtt");
    EXPECT_EQ(refused.status, 426U);
    EXPECT_EQ(refused.headers.back(),
              (std::pair<std::string, std::string>{"Sec-WebSocket-Version", "13"}));
    request = opening_request();
    request.version = 10;
    EXPECT_EQ(answer_handshake(request, "mqtt").status, 400U);
    request = opening_request();
    request.method = http::Method::post;
    EXPECT_EQ(answer_handshake(request, "mqtt").status, 400U);
}

}  // namespace
}  // namespace mitral::cloud::websocket
