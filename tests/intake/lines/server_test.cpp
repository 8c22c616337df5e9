#include "intake/lines/server.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>

#include "base/file.hpp"
#include "base/local_socket.hpp"
#include "intake/lines/status.hpp"
#include "intake/store/fake_writer.hpp"
#include "intake/store/status_file.hpp"
#include "support/proves.hpp"

namespace mitral::intake {
namespace {

using base::Milliseconds;
using base::UniqueFd;

constexpr std::string_view header = R"({"schema":"mitral.lines/1","source":"bed-1"})"
                                    "\n";

std::string vital(std::string_view id) {
    return R"({"id":")" + std::string(id) +
           R"(","obs":[{"code":"x","value":1,"unit":"1"}]})"
           "\n";
}

class ServerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/mitral-lines-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory = name;
        loop = base::EventLoop::create().value();
    }
    void TearDown() override {
        server.reset();
        const auto files = base::list_directory(directory).value();
        for (const auto& file : files)
            ::unlink((directory + "/" + file).c_str());
        ::rmdir(directory.c_str());
    }
    void start(ServerLimits limits = {}) {
        server.emplace(*loop, writer, clock, limits, [this](int) { return peer_user; });
        ASSERT_TRUE(server->listen(base::listen_stream(path(), 0600).value()));
    }
    std::string path() const { return directory + "/s"; }

    UniqueFd connect() const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
                  0);
        return fd;
    }
    UniqueFd connect_to(Server& other) const {
        EXPECT_TRUE(other.listen(base::listen_stream(path(), 0600).value()));
        auto peer = connect();
        send(peer, header);
        return peer;
    }
    static void send(const UniqueFd& fd, std::string_view text) {
        ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    // What has arrived; "<closed>" at the end of the stream.
    static std::string receive(const UniqueFd& fd) {
        std::string text;
        std::array<char, 4096> buffer;
        while (true) {
            const auto count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
            if (count == 0 || (count < 0 && errno == ECONNRESET))
                return text + "<closed>";
            if (count < 0)
                return text;
            text.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    // Turns the loop until nothing is ready any more.
    void settle() {
        for (int i = 0; i < 50; ++i)
            ASSERT_TRUE(loop->run_once(Milliseconds(0)));
    }
    bool turn_until(const std::function<bool()>& reached) {
        for (int i = 0; i < 2000 && !reached(); ++i)
            (void)loop->run_once(Milliseconds(5));
        return reached();
    }

    std::string directory;
    std::unique_ptr<base::EventLoop> loop;
    base::SystemClock clock;
    test::FakeWriter writer;
    base::Result<uid_t> peer_user = 1001;  // of whoever connects next
    std::optional<Server> server;
};

TEST_F(ServerTest, TakesLinesAndAnswers) {
    MITRAL_PROVES("T-DATA-01");
    start();
    const auto peer = connect();
    send(peer, std::string(header) + vital("a") + vital("b"));
    settle();
    EXPECT_EQ(receive(peer), "ok 2\n");
    EXPECT_EQ(writer.committed.size(), 2U);
    EXPECT_EQ(server->open_connections(), 1U);
}

TEST_F(ServerTest, OneCommitServesAllWhoAreReady) {
    start();
    std::vector<UniqueFd> peers;
    for (int i = 0; i < 8; ++i) {
        peers.push_back(connect());
        send(peers.back(), header);
    }
    settle();
    EXPECT_EQ(writer.commits, 0);
    for (std::size_t i = 0; i < peers.size(); ++i)
        send(peers[i], vital(std::to_string(i)));
    settle();
    EXPECT_EQ(writer.commits, 1);
    for (const auto& peer : peers)
        EXPECT_EQ(receive(peer), "ok 1\n");
}

TEST_F(ServerTest, AFailedCommitIsToldToEachSenderAndTheyMayTryAgain) {
    MITRAL_PROVES("T-DATA-01");
    start();
    const auto one = connect();
    const auto two = connect();
    send(one, header);
    send(two, header);
    settle();
    writer.fail_commits = true;
    send(one, vital("a"));
    send(two, vital("b"));
    settle();
    EXPECT_TRUE(receive(one).starts_with("later 1 "));
    EXPECT_TRUE(receive(two).starts_with("later 1 "));
    writer.fail_commits = false;
    send(one, vital("a"));
    settle();
    EXPECT_EQ(receive(one), "ok 2\n");
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(ServerTest, ClosesAfterTheLastReply) {
    MITRAL_PROVES("T-DATA-01");
    start();
    const auto peer = connect();
    send(peer, std::string(header) + vital("a"));
    ::shutdown(peer.get(), SHUT_WR);
    settle();
    EXPECT_EQ(receive(peer), "ok 1\n<closed>");
    EXPECT_EQ(server->open_connections(), 0U);
}

TEST_F(ServerTest, StoresWhatAPeerSentBeforeItWentAway) {
    MITRAL_PROVES("T-DATA-01");
    start();
    auto peer = connect();
    send(peer, std::string(header) + vital("a"));
    peer.reset();
    settle();
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(server->open_connections(), 0U);
    // Nobody heard the reply: the sender comes again and is not stored twice.
    const auto again = connect();
    send(again, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(receive(again), "ok 1\n");
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(ServerTest, ABadHeaderIsToldAndTheConnectionClosed) {
    MITRAL_PROVES("T-SW-01");
    start();
    const auto peer = connect();
    send(peer, "GET / HTTP/1.1\n");
    settle();
    EXPECT_EQ(receive(peer), "no 0 not a JSON object on one line, in UTF-8\n<closed>");
    EXPECT_EQ(server->counters().rejected, 1U);
}

TEST_F(ServerTest, MoreConnectionsThanTheLimitAreTurnedAway) {
    MITRAL_PROVES("T-DOS-01");
    ServerLimits limits;
    limits.connections = 2;
    start(limits);
    const auto one = connect();
    settle();
    peer_user = 1002;
    auto two = connect();
    settle();
    peer_user = 1003;
    const auto three = connect();
    settle();
    EXPECT_EQ(receive(three), "no 0 too many connections\n<closed>");
    send(one, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(receive(one), "ok 1\n");
    two.reset();
    settle();
    const auto four = connect();
    send(four, R"({"schema":"mitral.lines/1","source":"bed-2"})"
               "\n" +
                   vital("b"));
    settle();
    EXPECT_EQ(receive(four), "ok 1\n");
}

TEST_F(ServerTest, NoUserHoldsEveryPlace) {
    MITRAL_PROVES("T-DOS-01", "T-DOS-04");
    ServerLimits limits;
    limits.connections = 4;
    start(limits);
    const auto named = [](int number) {
        return R"({"schema":"mitral.lines/1","source":"x)" + std::to_string(number) + "\"}\n";
    };
    std::vector<UniqueFd> hogs;
    for (int i = 0; i < 4; ++i) {
        peer_user = i < 2 ? 1002 : 1003;
        hogs.push_back(connect());
        send(hogs.back(), named(i));
        settle();
    }
    const auto fifth = connect();
    settle();
    EXPECT_EQ(receive(fifth), "no 0 too many connections of this user\n<closed>");
    send(hogs[0], vital("busy"));
    settle();
    peer_user = 1001;
    const auto bed = connect();
    send(bed, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(receive(bed), "ok 1\n");
    EXPECT_EQ(receive(hogs[0]), "ok 1\n");
    EXPECT_EQ(receive(hogs[1]), "<closed>");
    EXPECT_EQ(server->open_connections(), 4U);
}

TEST_F(ServerTest, TheKernelSaysWhoIsConnected) {
    MITRAL_PROVES("T-SW-01");
    server.emplace(*loop, writer, clock, ServerLimits{});
    ASSERT_TRUE(server->listen(base::listen_stream(path(), 0600).value()));
    const auto peer = connect();
    send(peer, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(receive(peer), "ok 1\n");
    server.reset();
    ::unlink(path().c_str());
    peer_user = base::fail_errno(EPERM, "told to fail");
    start();
    const auto nobody = connect();
    settle();
    EXPECT_EQ(receive(nobody), "no 0 nobody knows who you are\n<closed>");
}

TEST_F(ServerTest, AnotherUserDoesNotSpeakForASource) {
    MITRAL_PROVES("T-SW-01", "T-DATA-05");
    start();
    const auto bed = connect();
    send(bed, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(receive(bed), "ok 1\n");
    peer_user = 1002;
    const auto other = connect();
    send(other, std::string(header) + vital("b"));
    settle();
    EXPECT_EQ(receive(other), "no 0 source belongs to another user\n<closed>");
    EXPECT_EQ(writer.committed.size(), 1U);
}

TEST_F(ServerTest, AFloodDoesNotDelayOthers) {
    MITRAL_PROVES("T-DOS-01", "T-DOS-04");
    ServerLimits limits;
    limits.piece_bytes = 4096;
    start(limits);
    const auto flood = connect();
    const auto calm = connect();
    send(flood, header);
    send(calm, header);
    settle();
    std::string many;
    for (int i = 0; i < 1500; ++i)
        many += vital("flood-" + std::to_string(i));
    send(flood, many);
    send(calm, vital("a"));
    // One pass takes a piece of each; the timer behind it commits.
    ASSERT_TRUE(loop->run_once(Milliseconds(0)));
    ASSERT_TRUE(loop->run_once(Milliseconds(0)));
    EXPECT_EQ(receive(calm), "ok 1\n");
    EXPECT_LT(writer.committed.size(), 300U);
    EXPECT_TRUE(turn_until([&] { return writer.committed.size() == 1501; }));
}

TEST_F(ServerTest, WhoDoesNotReadItsRepliesIsCutOff) {
    MITRAL_PROVES("T-DOS-04", "T-DOS-01");
    ServerLimits limits;
    limits.unread_replies = 4096;
    start(limits);
    const auto deaf = connect();
    const auto calm = connect();
    send(deaf, header);
    send(calm, header);
    settle();
    // Each refused line is answered with a longer one.
    bool cut_off = false;
    for (int round = 0; round < 5000 && !cut_off; ++round) {
        const std::string bad = "{\"id\":\"a\"}\n{\"id\":\"a\"}\n{\"id\":\"a\"}\n{\"id\":\"a\"}\n";
        const auto count = ::send(deaf.get(), bad.data(), bad.size(), MSG_NOSIGNAL);
        cut_off = count < 0 && errno == EPIPE;
        ASSERT_TRUE(loop->run_once(Milliseconds(0)));
    }
    EXPECT_TRUE(cut_off);
    settle();
    EXPECT_EQ(server->open_connections(), 1U);
    EXPECT_EQ(server->counters().rejected, 1U);
    send(calm, vital("a"));
    settle();
    EXPECT_EQ(receive(calm), "ok 1\n");
}

TEST_F(ServerTest, ASilentPeerIsCutOff) {
    MITRAL_PROVES("T-DOS-01", "T-DOS-04");
    ServerLimits limits;
    limits.header_wait = Milliseconds(20);
    limits.line_wait = Milliseconds(20);
    start(limits);
    const auto silent = connect();
    const auto half = connect();
    const auto idle = connect();
    send(half, std::string(header) + "{\"id\":");
    send(idle, std::string(header) + vital("a"));
    EXPECT_TRUE(turn_until([&] { return server->counters().rejected == 2; }));
    EXPECT_EQ(receive(silent), "<closed>");
    EXPECT_EQ(receive(half), "<closed>");
    EXPECT_EQ(receive(idle), "ok 1\n");  // between two lines one may take one's time
}

TEST_F(ServerTest, GathersForTheTimeItIsTold) {
    ServerLimits limits;
    limits.group.delay = Milliseconds(20);
    start(limits);
    const auto peer = connect();
    send(peer, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(writer.commits, 0);
    send(peer, vital("b"));
    std::string said;
    EXPECT_TRUE(turn_until([&] { return (said += receive(peer)) == "ok 2\n"; }));
    EXPECT_EQ(writer.commits, 1);
}

TEST_F(ServerTest, ALargeGroupDoesNotWait) {
    MITRAL_PROVES("T-DOS-01");
    ServerLimits limits;
    limits.group.delay = Milliseconds(60'000);
    limits.group.bytes = 200;
    start(limits);
    const auto peer = connect();
    std::string many(header);
    for (int i = 0; i < 20; ++i)
        many += vital(std::to_string(i));
    send(peer, many);
    settle();
    EXPECT_EQ(receive(peer), "ok 20\n");
}

TEST_F(ServerTest, ShuttingDownCommitsWhatWasReceived) {
    MITRAL_PROVES("T-DATA-01");
    ServerLimits limits;
    limits.group.delay = Milliseconds(60'000);
    start(limits);
    const auto peer = connect();
    send(peer, std::string(header) + vital("a"));
    settle();
    EXPECT_EQ(writer.committed.size(), 0U);
    server->shut_down();
    EXPECT_EQ(writer.committed.size(), 1U);
    EXPECT_EQ(writer.batch_ends, 1);
    EXPECT_EQ(receive(peer), "ok 1\n<closed>");
}

TEST_F(ServerTest, MaintainsTheSpoolWhenItIsDue) {
    writer.maintenance_due = clock.monotonic();
    start();
    EXPECT_TRUE(turn_until([&] { return writer.maintenances == 1; }));
    EXPECT_FALSE(writer.next_maintenance());
}

TEST_F(ServerTest, ABrokenDiskDoesNotKeepTheProcessorBusy) {
    MITRAL_PROVES("T-DOS-03");
    writer.fail_maintenance = true;
    writer.maintenance_due = clock.monotonic();
    start();
    EXPECT_TRUE(turn_until([&] { return writer.maintenances == 1; }));
    const auto peer = connect();
    send(peer, header);
    for (int i = 0; i < 20; ++i) {
        send(peer, vital(std::to_string(i)));
        settle();
    }
    EXPECT_EQ(writer.maintenances, 1);
}

TEST_F(ServerTest, ATroubleOfTheSpoolIsLoggedOnceForEachCause) {
    MITRAL_PROVES("T-LOG-02");
    base::ManualClock hands{base::WallTime{1'767'225'600'000}};
    Server quiet(*loop, writer, hands, {});
    testing::internal::CaptureStderr();
    using spool::SpoolError;
    std::vector<std::optional<SpoolError>> course{SpoolError::holding_off,
                                                  SpoolError::write_failed,
                                                  SpoolError::holding_off,
                                                  SpoolError::write_failed,
                                                  SpoolError::full,
                                                  SpoolError::full,
                                                  std::nullopt,
                                                  SpoolError::full};
    const auto peer = connect_to(quiet);
    for (const auto error : course) {
        writer.fail_maintenance = error.has_value();
        writer.maintenance_error = error.value_or(SpoolError::full);
        writer.maintenance_due = hands.monotonic();
        hands.advance(Milliseconds(5000));
        send(peer, "x\n");
        const int before = writer.maintenances;
        ASSERT_TRUE(turn_until([&] { return writer.maintenances > before; }));
    }
    const auto logged = testing::internal::GetCapturedStderr();
    std::size_t lines = 0;
    for (std::size_t at = 0;
         (at = logged.find("spool-maintenance-failed", at)) != std::string::npos; ++at)
        ++lines;
    EXPECT_EQ(lines, 4U) << logged;
}

TEST_F(ServerTest, ServesAPairOfDescriptors) {
    start();
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    ASSERT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
    bool done = false;
    ASSERT_TRUE(server->serve(UniqueFd(in[0]), UniqueFd(out[1]), [&] { done = true; }));
    UniqueFd source(in[1]);
    const UniqueFd replies(out[0]);
    ASSERT_TRUE(base::write_all(source.get(), base::as_bytes(std::string(header) + vital("a"))));
    settle();
    EXPECT_FALSE(done);
    source.reset();
    settle();
    EXPECT_TRUE(done);
    std::array<char, 64> text{};
    const auto count = ::read(replies.get(), text.data(), text.size());
    EXPECT_EQ(std::string_view(text.data(), static_cast<std::size_t>(count)), "ok 1\n");
}

TEST_F(ServerTest, ServesAFile) {
    start();
    const auto file = directory + "/lines";
    std::string lines(header);
    for (int i = 0; i < 5000; ++i)
        lines += vital(std::to_string(i));
    ASSERT_TRUE(base::replace_file(file, base::as_bytes(lines), 0600));
    bool done = false;
    ASSERT_TRUE(server->serve(base::open_file(file, O_RDONLY).value(),
                              base::open_file(directory + "/out", O_WRONLY | O_CREAT, 0600).value(),
                              [&] { done = true; }));
    EXPECT_TRUE(turn_until([&] { return done; }));
    EXPECT_EQ(writer.committed.size(), 5000U);
    const auto said = base::read_text_file(directory + "/out", 1 << 20).value();
    EXPECT_TRUE(said.ends_with("ok 5000\n")) << said;
}

TEST_F(ServerTest, StatusFileFollowsTheCounters) {
    start();
    StatusFile status(*loop, clock, directory + "/status.json", [&] {
        return describe_status(server->counters(), server->open_connections(), writer, {0});
    });
    server->on_change([&] { status.changed(); });
    const auto peer = connect();
    send(peer, std::string(header) + vital("a") + vital("a") + "bad\n");
    settle();
    EXPECT_EQ(base::read_text_file(directory + "/status.json", 4096).value(),
              R"({"program":"mitral-intake-lines","updated":"1970-01-01T00:00:00.000Z",)"
              R"("open_connections":1,"connections":1,"rejected":0,"lines":3,"readings":1,)"
              R"("observations":1,"refused":1,"later":0,"duplicates":1,"unknown_codes":2,"lanes":{)"
              R"("alerts":{"bytes":0,"last_sequence":0,"acknowledged_sequence":0,"queued":0,)"
              R"("dropped_records":0},)"
              R"("vitals":{"bytes":0,"last_sequence":1,"acknowledged_sequence":0,"queued":1,)"
              R"("dropped_records":0},)"
              R"("waves":{"bytes":0,"last_sequence":0,"acknowledged_sequence":0,"queued":0,)"
              R"("dropped_records":0}}})"
              "\n");
}

}  // namespace
}  // namespace mitral::intake
