// A client that asks for a stream and never reads it.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "cloud/front/link_pool.hpp"
#include "cloud/http/connection.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::http {
namespace {

class Endless final : public BodySource {
  public:
    explicit Endless(bool waits) : waits_(waits) {}
    base::Result<Piece> next(std::size_t limit) override {
        return waits_ ? Piece{State::waiting, {}} : Piece{State::more, std::string(limit, 'x')};
    }
    void on_more(std::function<void()>) override {}

  private:
    bool waits_;
};

class StalledReader : public ::testing::Test {
  protected:
    // A connection that was asked for a stream.
    base::UniqueFd ask() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        pool_.adopt(net::Stream(base::UniqueFd(ends[0])), [this](front::Link& link) {
            return std::make_unique<Connection>(link, handler_, base::Milliseconds(20));
        });
        constexpr std::string_view text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
        return base::UniqueFd(ends[1]);
    }
    // Passes of the loop until `done` or for so long.
    void turn_until(const std::function<bool()>& done, base::Milliseconds limit) {
        const auto end = clock_.monotonic() + limit;
        while (!done() && clock_.monotonic() < end)
            ASSERT_TRUE(loop_->run_once(base::Milliseconds(1)));
    }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::SystemClock clock_;
    bool waits_ = false;
    Handler handler_ = [this](const Request&) {
        Response response;
        response.source = std::make_unique<Endless>(waits_);
        return response;
    };
    front::LinkPool pool_{*loop_, clock_, {}};
};

TEST_F(StalledReader, LosesItsPlace) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    const auto client = ask();
    turn_until([&] { return pool_.size() == 0; }, std::chrono::seconds(30));
    EXPECT_EQ(pool_.size(), 0U);
    EXPECT_EQ(pool_.buffered_bytes(), 0U);
}

TEST_F(StalledReader, WhoWaitsForNewsStays) {
    waits_ = true;
    const auto client = ask();
    turn_until([] { return false; }, base::Milliseconds(200));
    EXPECT_EQ(pool_.size(), 1U);
}

TEST_F(StalledReader, WhoReadsStays) {
    const auto client = ask();
    std::array<char, 64 * 1024> piece{};
    std::size_t read = 0;
    const auto enough = [&] {
        const auto got = ::read(client.get(), piece.data(), piece.size());
        read += got > 0 ? static_cast<std::size_t>(got) : 0;
        return read > 64UL * 1024 * 1024;
    };
    turn_until(enough, std::chrono::seconds(60));
    EXPECT_GT(read, 64UL * 1024 * 1024);
    EXPECT_EQ(pool_.size(), 1U);
}

}  // namespace
}  // namespace mitral::cloud::http
