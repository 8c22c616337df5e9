#include "intake/hl7/dialler.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "intake/hl7/mindray_query.hpp"

namespace mitral::intake::hl7 {

using base::EventLoop;

Dialler::Dialler(EventLoop& loop, const base::Clock& clock, Server& server, Monitor& monitor,
                 DialPlan plan)
    : loop_(loop),
      clock_(clock),
      server_(server),
      monitor_(monitor),
      plan_(std::move(plan)),
      wait_(plan_.shortest_wait) {}

Dialler::~Dialler() {
    stop_connecting();
    if (timer_)
        loop_.cancel(*timer_);
}

void Dialler::start() {
    dial();
}

void Dialler::dial() {
    auto socket = net::start_connect(plan_.target);
    if (!socket)
        return failed(socket.error().message());
    connecting_ = std::move(*socket);
    const auto watched =
        loop_.watch(connecting_.get(), EventLoop::writable, [this](std::uint32_t) { connected(); });
    if (!watched) {
        connecting_.reset();
        return failed(watched.error().message());
    }
    timer_ = loop_.after(plan_.connect_timeout, [this] {
        timer_.reset();
        stop_connecting();
        failed("no answer");
    });
}

void Dialler::stop_connecting() {
    if (!connecting_.valid())
        return;
    loop_.unwatch(connecting_.get());
    connecting_.reset();
}

void Dialler::connected() {
    loop_.cancel(*std::exchange(timer_, std::nullopt));
    loop_.unwatch(connecting_.get());
    auto socket = std::move(connecting_);
    if (const auto result = net::connection_result(socket.get(), plan_.target); !result)
        return failed(result.error().message());
    if (plan_.tls == nullptr)
        return hand_over(net::Stream(std::move(socket)));
    auto stream = plan_.tls->connect(std::move(socket), plan_.name);
    if (!stream)
        return failed(stream.error().message());
    hand_over(net::Stream(std::move(*stream)));
}

void Dialler::hand_over(net::Stream stream) {
    const auto adopted = server_.adopt(std::move(stream), monitor_,
                                       {[this](ConnectionKey key) {
                                            told_ = false;
                                            ask(key);
                                        },
                                        [this](bool useful) { gone(useful); }});
    if (!adopted)
        failed(adopted.error().message());
}

void Dialler::ask(ConnectionKey key) {
    if (plan_.query == Query::none)
        return;
    // First the timer: what is sent may be the end of the connection, which stops it.
    timer_ = loop_.after(plan_.query_interval, [this, key] {
        timer_.reset();
        ask(key);
    });
    server_.send(key, mindray_query(clock_.wall(), ++queries_));
}

void Dialler::failed(const std::string& why) {
    if (!std::exchange(told_, true))
        base::log(base::Severity::warning, "monitor-not-reached",
                  {{"source", monitor_.sender.source}, {"reason", why}});
    wait_and_dial();
}

void Dialler::gone(bool useful) {
    if (timer_)
        loop_.cancel(*std::exchange(timer_, std::nullopt));
    if (useful)
        wait_ = plan_.shortest_wait;
    wait_and_dial();
}

void Dialler::wait_and_dial() {
    timer_ = loop_.after(wait_, [this] {
        timer_.reset();
        dial();
    });
    wait_ = std::min(2 * wait_, plan_.longest_wait);
}

}  // namespace mitral::intake::hl7
