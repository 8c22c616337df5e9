#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "cloud/error.hpp"
#include "cloud/front/link_pool.hpp"
#include "cloud/front/listener.hpp"
#include "net/connect.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::front {
namespace {

// Answers every byte with itself, after the commit; 'q' asks to be closed, 'e' is an error.
class Echo final : public Protocol {
  public:
    Echo(Link& link, std::string& ended) : Protocol(link), ended_(ended) {}
    base::Result<std::size_t> on_bytes(base::ByteView input) override {
        if (input.size() < wanted)
            return 0;
        if (base::as_text(input).find('e') != std::string_view::npos)
            return base::fail(CloudError::malformed_packet, "an e");
        transport().note_admitted();
        transport().send_after_commit(input);
        if (base::as_text(input).find('q') != std::string_view::npos)
            transport().close_when_sent("asked to");
        return input.size();
    }
    void on_closed(std::string_view reason) override { ended_ = reason; }

    static inline std::size_t wanted = 1;

  private:
    std::string& ended_;
};

class FrontTest : public ::testing::Test {
  protected:
    FrontTest() { Echo::wanted = 1; }

    // The client's end of a new connection.
    base::UniqueFd connect(LinkPool& pool) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
        pool.adopt(net::Stream(base::UniqueFd(ends[0])),
                   [this](Link& link) { return std::make_unique<Echo>(link, ended_); });
        return base::UniqueFd(ends[1]);
    }
    void turn(int times = 10) {
        for (int i = 0; i < times; ++i)
            ASSERT_TRUE(loop_->run_once(base::Milliseconds(1)));
    }
    static std::string read(int fd) {
        std::string text(64 * 1024, '\0');
        const auto got = ::read(fd, text.data(), text.size());
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    static void write(int fd, std::string_view text) {
        ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    }

    std::unique_ptr<base::EventLoop> loop_ = *base::EventLoop::create();
    base::SystemClock clock_;
    std::string ended_;
};

TEST_F(FrontTest, CommitsBeforeItAnswersAndOncePerPass) {
    MITRAL_PROVES("T-DATA-01");
    LinkPool pool(*loop_, clock_, {});
    const auto client = connect(pool);
    int commits = 0;
    std::string seen_at_commit = "never";
    pool.set_commit([&] {
        if (commits++ == 0)
            seen_at_commit = read(client.get());
        return base::Status{};
    });
    turn();
    write(client.get(), "abc");
    turn();
    EXPECT_EQ(seen_at_commit, "");
    EXPECT_EQ(read(client.get()), "abc");
}

TEST_F(FrontTest, AFailedCommitNeverAcknowledges) {
    MITRAL_PROVES("T-DATA-01", "T-DOS-02");
    LinkPool pool(*loop_, clock_, {});
    const auto client = connect(pool);
    turn();
    pool.set_commit([] { return base::Status(base::fail(CloudError::storage, "disk full")); });
    write(client.get(), "abc");
    turn();
    EXPECT_EQ(read(client.get()), "");
    EXPECT_EQ(ended_, "message log cannot be written");
    EXPECT_EQ(pool.size(), 0U);
}

TEST_F(FrontTest, StrangersMakeRoomAndWhoIsKnownStays) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    LinkPool pool(*loop_, clock_, {.links = 40, .strangers = 4});
    const auto known = connect(pool);
    turn();
    write(known.get(), "hi");  // here, whoever speaks is let in
    turn();
    ASSERT_EQ(read(known.get()), "hi");
    ASSERT_EQ(pool.strangers(), 0U);
    std::vector<base::UniqueFd> crowd;
    for (int i = 0; i < 100; ++i) {
        crowd.push_back(connect(pool));
        turn(1);
        ASSERT_LE(pool.strangers(), 4U);
        ASSERT_FALSE(pool.full());
    }
    turn();
    EXPECT_EQ(pool.size(), 5U);
    EXPECT_EQ(pool.displaced(), 96U);
    EXPECT_EQ(read(crowd.front().get()), "");
    EXPECT_EQ(ended_, "made room for another connection");  // the oldest first
    write(known.get(), "still in");
    write(crowd.back().get(), "too");
    turn();
    EXPECT_EQ(read(known.get()), "still in");
    EXPECT_EQ(read(crowd.back().get()), "too");
}

TEST_F(FrontTest, ControlWithoutAShareOfTheirOwnStrangersTakeAllPlaces) {
    MITRAL_PROVES("T-DOS-04");
    LinkPool pool(*loop_, clock_, {.links = 40, .strangers = 1'000});
    std::vector<base::UniqueFd> crowd;
    while (!pool.full()) {
        crowd.push_back(connect(pool));
        turn(1);
    }
    EXPECT_EQ(pool.size(), 40U);
    EXPECT_FALSE(pool.full(true));  // this machine is still heard
    pool.make_room(10);
    turn();
    EXPECT_EQ(pool.size(), 30U);
}

TEST_F(FrontTest, ClosesAfterTheLastAnswerOrAtOnceOnAnError) {
    LinkPool pool(*loop_, clock_, {});
    const auto polite = connect(pool);
    turn();
    write(polite.get(), "bq");
    turn();
    EXPECT_EQ(read(polite.get()), "bq");
    EXPECT_EQ(ended_, "asked to");
    const auto rude = connect(pool);
    turn();
    write(rude.get(), "e");
    turn();
    EXPECT_EQ(read(rude.get()), "");
    EXPECT_EQ(pool.size(), 0U);
}

TEST_F(FrontTest, StopsReadingFromAClientThatDoesNotRead) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    LinkPool pool(*loop_, clock_, {});
    const auto client = connect(pool);
    turn();
    const std::string block(16 * 1024, 'x');
    std::size_t sent = 0;
    for (int i = 0; i < 600; ++i) {
        const auto wrote = ::send(client.get(), block.data(), block.size(), MSG_NOSIGNAL);
        sent += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
        turn(1);
    }
    EXPECT_LT(sent, 4U * 1024 * 1024);  // of 9 MB offered: the rest waits in the client
    EXPECT_LT(pool.buffered_bytes(), 2U * 1024 * 1024);
    EXPECT_EQ(pool.size(), 1U);
    std::size_t received = 0;
    for (int i = 0; i < 600 && received < sent; ++i) {
        received += read(client.get()).size();
        turn(1);
    }
    EXPECT_EQ(received, sent);  // and nothing is lost once it reads
}

TEST_F(FrontTest, BoundsTheMemoryOfAllConnectionsTogether) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    LinkPool pool(*loop_, clock_,
                  {.links = 16,
                   .buffered_bytes = 100'000,
                   .first_request_timeout = base::Milliseconds(30'000)});
    const auto client = connect(pool);
    turn();
    Echo::wanted = 10'000'000;  // a protocol that keeps everything
    const std::string block(16 * 1024, 'x');
    for (int i = 0; i < 20; ++i) {
        (void)!::send(client.get(), block.data(), block.size(), MSG_NOSIGNAL);
        turn(1);
    }
    turn();
    EXPECT_EQ(pool.size(), 0U);
    EXPECT_EQ(pool.buffered_bytes(), 0U);
    EXPECT_EQ(ended_, "memory for connections used up");
}

TEST_F(FrontTest, ClosesAClientThatNeverSpeaks) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    LinkPool pool(
        *loop_, clock_,
        {.links = 16, .buffered_bytes = 100'000, .first_request_timeout = base::Milliseconds(5)});
    const auto client = connect(pool);
    const auto end = clock_.monotonic() + base::Milliseconds(5'000);
    while (pool.size() > 0 && clock_.monotonic() < end)
        turn(1);
    EXPECT_EQ(pool.size(), 0U);
}

TEST_F(FrontTest, LetsHandshakesWaitForOthersButNotForThoseThatNeverEnd) {
    MITRAL_PROVES("T-DOS-04", "CR 7.1");
    LinkPool pool(*loop_, clock_, {.handshakes = 1, .handshake_patience = base::Milliseconds(150)});
    auto socket = net::listen_tcp({"127.0.0.1", 0});
    ASSERT_TRUE(socket);
    const auto listener = Listener::open(pool, *std::move(socket), nullptr, [this](Link& link) {
        return std::make_unique<Echo>(link, ended_);
    });
    ASSERT_TRUE(listener);
    const auto call = [&] {
        auto client = net::start_connect({"127.0.0.1", (*listener)->port()});
        EXPECT_TRUE(client);
        return client ? *std::move(client) : base::UniqueFd();
    };
    const auto reaches = [&](std::size_t links) {
        for (int i = 0; i < 2'000 && pool.size() < links; ++i)
            EXPECT_TRUE(loop_->run_once(base::Milliseconds(10)));
        return pool.size() == links;
    };
    const auto silent = call();  // its handshake, a first byte here, never ends
    ASSERT_TRUE(reaches(1));
    EXPECT_TRUE(pool.handshakes_full());
    const auto second = call();  // nothing moves: it does not wait for ever
    ASSERT_TRUE(reaches(2));
    write(second.get(), "x");
    for (int i = 0; i < 2'000 && pool.handshakes_done() == 0; ++i)
        ASSERT_TRUE(loop_->run_once(base::Milliseconds(10)));
    const auto third = call();  // handshakes end, one is under way: its turn comes later
    ASSERT_TRUE(loop_->run_once(base::Milliseconds(10)));
    EXPECT_EQ(pool.size(), 2U);
    EXPECT_TRUE(reaches(3));
}

TEST_F(FrontTest, ForgetsAClientThatVanishes) {
    LinkPool pool(*loop_, clock_, {});
    connect(pool).reset();
    turn();
    EXPECT_EQ(pool.size(), 0U);
    EXPECT_EQ(ended_, "closed by the client");
}

}  // namespace
}  // namespace mitral::cloud::front
