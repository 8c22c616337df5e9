#include "base/event_loop.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace mitral::base {
namespace {

std::uint32_t to_epoll(std::uint32_t interest) {
    std::uint32_t events = 0;
    if ((interest & EventLoop::readable) != 0)
        events |= EPOLLIN | EPOLLRDHUP;
    if ((interest & EventLoop::writable) != 0)
        events |= EPOLLOUT;
    return events;
}

std::uint32_t from_epoll(std::uint32_t events) {
    std::uint32_t ready = 0;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        ready |= EventLoop::readable;  // the read says what happened
    if ((events & EPOLLOUT) != 0)
        ready |= EventLoop::writable;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        ready |= EventLoop::hung_up;
    return ready;
}

class EpollLoop final : public EventLoop {
  public:
    explicit EpollLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}

    Status watch(int fd, std::uint32_t interest, Handler handler) override {
        epoll_event event{};
        event.events = to_epoll(interest);
        // The generation tells a reused descriptor number from the one an event was queued for.
        const std::uint32_t generation = ++generation_;
        event.data.u64 =
            static_cast<std::uint64_t>(generation) << 32 | static_cast<std::uint32_t>(fd);
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
            return fail_errno("watch a descriptor");
        watches_[fd] = {generation, std::make_shared<Handler>(std::move(handler))};
        return {};
    }

    Status modify(int fd, std::uint32_t interest) override {
        const auto found = watches_.find(fd);
        if (found == watches_.end())
            return fail_errno(ENOENT, "modify a descriptor that is not watched");
        epoll_event event{};
        event.events = to_epoll(interest);
        event.data.u64 = static_cast<std::uint64_t>(found->second.generation) << 32 |
                         static_cast<std::uint32_t>(fd);
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0)
            return fail_errno("modify a descriptor");
        return {};
    }

    void unwatch(int fd) noexcept override {
        if (watches_.erase(fd) != 0)
            (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    }

    TimerId after(Milliseconds delay, TimerHandler handler) override {
        const MonotonicTime due = clock_.monotonic() + std::max(delay, Milliseconds(0));
        const auto id = static_cast<TimerId>(++timer_count_);
        timers_.emplace(std::pair(due, id), std::move(handler));
        due_times_.emplace(id, due);
        return id;
    }

    void cancel(TimerId id) noexcept override {
        const auto found = due_times_.find(id);
        if (found == due_times_.end())
            return;
        timers_.erase(std::pair(found->second, id));
        due_times_.erase(found);
    }

    Status run() override {
        stopped_ = false;
        while (!stopped_)
            MITRAL_CHECK(run_once(Milliseconds(-1)));
        return {};
    }

    Status run_once(Milliseconds wait) override {
        std::array<epoll_event, 64> events{};
        const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                     timeout_ms(wait));
        if (count < 0 && errno != EINTR)
            return fail_errno("wait for events");
        for (int i = 0; i < count; ++i)
            dispatch(events[static_cast<std::size_t>(i)]);
        run_timers();
        return {};
    }

    void stop() noexcept override { stopped_ = true; }

    Status on_termination(TimerHandler handler) override {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0)
            return fail_errno("block termination signals");
        signals_.reset(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!signals_.valid())
            return fail_errno("watch termination signals");
        return watch(signals_.get(), readable, [this, call = std::move(handler)](std::uint32_t) {
            signalfd_siginfo info{};
            if (::read(signals_.get(), &info, sizeof info) == sizeof info)
                call();
        });
    }

  private:
    struct Watch {
        std::uint32_t generation = 0;
        std::shared_ptr<Handler> handler;  // shared: a handler may unwatch itself while it runs
    };

    int timeout_ms(Milliseconds wait) const {
        if (timers_.empty())
            return static_cast<int>(std::clamp<std::int64_t>(wait.count(), -1, INT_MAX));
        const std::int64_t until_ns = timers_.begin()->first.first.ns - clock_.monotonic().ns;
        const std::int64_t until = std::max<std::int64_t>(0, (until_ns + 999'999) / 1'000'000);
        const std::int64_t bound = wait.count() < 0 ? until : std::min(until, wait.count());
        return static_cast<int>(std::min<std::int64_t>(bound, INT_MAX));
    }

    void dispatch(const epoll_event& event) {
        const int fd = static_cast<int>(event.data.u64 & 0xFFFF'FFFFU);
        const auto found = watches_.find(fd);
        if (found == watches_.end() || found->second.generation != event.data.u64 >> 32)
            return;
        const auto handler = found->second.handler;
        (*handler)(from_epoll(event.events));
    }

    void run_timers() {
        // Timers set by these handlers wait for the next pass, so that none can starve descriptors.
        const MonotonicTime now = clock_.monotonic();
        std::vector<TimerId> due;
        for (auto it = timers_.begin(); it != timers_.end() && it->first.first <= now; ++it)
            due.push_back(it->first.second);
        for (const TimerId id : due) {
            const auto found = due_times_.find(id);
            if (found == due_times_.end())
                continue;  // cancelled by a handler before it
            auto timer = timers_.extract(std::pair(found->second, id));
            due_times_.erase(found);
            timer.mapped()();
        }
    }

    SystemClock clock_;
    UniqueFd epoll_;
    UniqueFd signals_;
    std::unordered_map<int, Watch> watches_;
    std::map<std::pair<MonotonicTime, TimerId>, TimerHandler> timers_;
    std::unordered_map<TimerId, MonotonicTime> due_times_;
    std::uint32_t generation_ = 0;
    std::uint64_t timer_count_ = 0;
    bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
    UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid())
        return fail_errno("create an event loop");
    return std::make_unique<EpollLoop>(std::move(epoll));
}

}  // namespace mitral::base
