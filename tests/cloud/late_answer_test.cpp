#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "cloud/front/link_pool.hpp"
#include "cloud/http/connection.hpp"

namespace mitral::cloud::http {
namespace {

// One HTTP connection whose handler promises every answer.
class LateAnswerTest : public ::testing::Test {
  protected:
    LateAnswerTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        client_ = base::UniqueFd(ends[1]);
        pool_.adopt(net::Stream(base::UniqueFd(ends[0])), [this](front::Link& link) {
            return std::make_unique<Connection>(link, handler_);
        });
    }
    void turn() {
        for (int i = 0; i < 10; ++i)
            ASSERT_TRUE(loop_->run_once(base::Milliseconds(1)));
    }
    void ask(std::string_view path) {
        const auto text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n";
        ASSERT_EQ(::write(client_.get(), text.data(), text.size()),
                  static_cast<ssize_t>(text.size()));
        turn();
    }
    std::string answered() {
        std::string text(4096, '\0');
        const auto got = ::read(client_.get(), text.data(), text.size());
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    static Response with(std::string body) {
        Response response;
        response.body = std::move(body);
        return response;
    }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::SystemClock clock_;
    std::vector<std::shared_ptr<LateAnswer>> promised_;
    Handler handler_ = [this](const Request&) {
        Response response;
        response.later = promised_.emplace_back(std::make_shared<LateAnswer>());
        return response;
    };
    front::LinkPool pool_{*loop_, clock_, {}};
    base::UniqueFd client_;
};

TEST_F(LateAnswerTest, LeavesWhenItIsGivenAndTheConnectionGoesOn) {
    for (std::size_t i = 0; i < 2; ++i) {
        ask("/" + std::to_string(i));
        ASSERT_EQ(promised_.size(), i + 1);
        EXPECT_EQ(answered(), "");
        promised_[i]->give(with("late"));
        promised_[i]->give(with("never"));
        turn();
        const auto text = answered();
        EXPECT_TRUE(text.ends_with("\r\n\r\nlate")) << text;
        EXPECT_EQ(text.find("Connection: close"), std::string::npos);
    }
}

TEST_F(LateAnswerTest, IsDroppedWhenTheClientHasGone) {
    ask("/");
    client_ = {};
    turn();
    EXPECT_EQ(pool_.size(), 0U);
    promised_.at(0)->give(with("to nobody"));
}

TEST_F(LateAnswerTest, ClosesBehindItWhenMoreWasAskedMeanwhile) {
    ask("/1");
    ask("/2");
    EXPECT_EQ(promised_.size(), 1U);
    promised_[0]->give(with("one"));
    turn();
    EXPECT_NE(answered().find("Connection: close"), std::string::npos);
}

}  // namespace
}  // namespace mitral::cloud::http
