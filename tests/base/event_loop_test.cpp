#include "base/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <vector>

#include "base/fd.hpp"
#include "support/result_matchers.hpp"

namespace mitral::base {
namespace {

using test::ok;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        in = UniqueFd(ends[0]);
        out = UniqueFd(ends[1]);
    }
    void fill() const { EXPECT_EQ(::write(out.get(), "x", 1), 1); }
    UniqueFd in;
    UniqueFd out;
};

TEST(EventLoop, CallsTheHandlerOfAReadyDescriptor) {
    auto loop = *EventLoop::create();
    const Pipe pipe;
    int calls = 0;
    ASSERT_TRUE(ok(loop->watch(pipe.in.get(), EventLoop::readable, [&](std::uint32_t ready) {
        EXPECT_EQ(ready, EventLoop::readable);
        ++calls;
    })));
    ASSERT_TRUE(ok(loop->run_once(Milliseconds(0))));
    EXPECT_EQ(calls, 0);
    pipe.fill();
    ASSERT_TRUE(ok(loop->run_once(Milliseconds(-1))));
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AHandlerMayRemoveAnyWatch) {
    auto loop = *EventLoop::create();
    const Pipe first;
    const Pipe second;
    first.fill();
    second.fill();
    int calls = 0;
    const auto once = [&](std::uint32_t) {
        ++calls;
        loop->unwatch(first.in.get());
        loop->unwatch(second.in.get());
    };
    ASSERT_TRUE(ok(loop->watch(first.in.get(), EventLoop::readable, once)));
    ASSERT_TRUE(ok(loop->watch(second.in.get(), EventLoop::readable, once)));
    ASSERT_TRUE(ok(loop->run_once(Milliseconds(-1))));
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AnOldEventNeverReachesAReusedDescriptor) {
    auto loop = *EventLoop::create();
    const Pipe trigger;
    const Pipe reused;
    trigger.fill();
    reused.fill();
    int stale = 0;
    const auto replace = [&](std::uint32_t) {
        for (const Pipe* other : {&trigger, &reused}) {
            loop->unwatch(other->in.get());
            ASSERT_TRUE(ok(loop->watch(other->in.get(), EventLoop::readable,
                                       [&](std::uint32_t) { ++stale; })));
        }
    };
    ASSERT_TRUE(ok(loop->watch(trigger.in.get(), EventLoop::readable, replace)));
    ASSERT_TRUE(ok(loop->watch(reused.in.get(), EventLoop::readable, replace)));
    ASSERT_TRUE(ok(loop->run_once(Milliseconds(-1))));
    EXPECT_EQ(stale, 0);
    ASSERT_TRUE(ok(loop->run_once(Milliseconds(-1))));
    EXPECT_EQ(stale, 2);
}

TEST(EventLoop, RunsTimersInOrderAndHonoursCancel) {
    auto loop = *EventLoop::create();
    std::vector<int> order;
    loop->after(Milliseconds(2), [&] {
        order.push_back(2);
        loop->stop();
    });
    loop->after(Milliseconds(1), [&] { order.push_back(1); });
    const auto cancelled = loop->after(Milliseconds(0), [&] { order.push_back(0); });
    loop->cancel(cancelled);
    ASSERT_TRUE(ok(loop->run()));
    EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(EventLoop, ATimerThatSetsItselfStarvesNobody) {
    auto loop = *EventLoop::create();
    const Pipe pipe;
    pipe.fill();
    bool served = false;
    std::function<void()> again = [&] { loop->after(Milliseconds(0), again); };
    again();
    ASSERT_TRUE(
        ok(loop->watch(pipe.in.get(), EventLoop::readable, [&](std::uint32_t) { served = true; })));
    ASSERT_TRUE(ok(loop->run_once(Milliseconds(-1))));
    EXPECT_TRUE(served);
}

TEST(EventLoop, TurnsSigtermIntoACall) {
    auto loop = *EventLoop::create();
    ASSERT_TRUE(ok(loop->on_termination([&] { loop->stop(); })));
    ASSERT_EQ(::raise(SIGTERM), 0);
    EXPECT_TRUE(ok(loop->run()));
}

}  // namespace
}  // namespace mitral::base
