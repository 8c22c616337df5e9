#include "bedside/bed.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace mitral::bedside {
namespace {

using base::EventLoop;
using base::Milliseconds;

constexpr Milliseconds first_backoff{100};
constexpr Milliseconds longest_backoff{2'000};
constexpr Milliseconds after_postponed{250};
constexpr std::int64_t catch_up_ns = 1'000'000'000;  // what a hold-up may be made up for

}  // namespace

Bed::Bed(Place place, Monitor monitor, std::optional<Book> book, const net::TlsContext* tls,
         std::size_t number)
    : place_(place),
      monitor_(std::move(monitor)),
      book_(std::move(book)),
      tls_(tls),
      mischief_(monitor_.plan().faults, monitor_.plan().fault_percent,
                place.plan.seed * 7919 + number) {}

Bed::~Bed() {
    ending_ = true;
    for (const auto timer : {timer_, reconnect_})
        if (timer)
            place_.loop.cancel(*timer);
    if (listener_.valid())
        place_.loop.unwatch(listener_.get());
}

base::Status Bed::start(Milliseconds phase) {
    origin_ = place_.clock.monotonic() + phase;
    const BedPlan& plan = monitor_.plan();
    if (!plan.listen.empty())
        return listen();
    MITRAL_TRY(to_, net::parse_endpoint(plan.to, 2575));
    // The first connection shows at once whether the plan's addresses can be used.
    MITRAL_TRY(auto socket, dial(to_, plan.from));
    take_wire(std::move(socket), false);
    return {};
}

base::Status Bed::listen() {
    MITRAL_TRY(const auto at, net::parse_endpoint(monitor_.plan().listen, 4601));
    MITRAL_TRY(listener_, net::listen_tcp(at));
    return place_.loop.watch(listener_.get(), EventLoop::readable,
                             [this](std::uint32_t) { accept(); });
}

void Bed::accept() {
    base::UniqueFd socket(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket.valid())
        return;
    // The gateway came back before its old connection was seen to end.
    if (wire_ != nullptr)
        lost("a new connection");
    take_wire(std::move(socket), true);
}

void Bed::connect() {
    auto socket = dial(to_, monitor_.plan().from);
    if (!socket)
        return lost(socket.error().message());
    take_wire(std::move(*socket), false);
}

void Bed::take_wire(base::UniqueFd socket, bool server) {
    queried_ = false;
    wire_ = std::make_unique<Wire>(
        place_.loop, std::move(socket), tls_, monitor_.plan().server_name, server,
        Wire::Events{.on_open = [this] { opened(); },
                     .on_answer = [this](const Answer& answer) { answered(answer); },
                     .on_lost = [this](const std::string& why) { lost(why); },
                     .on_idle = [this] { pump(); }});
    if (const auto started = wire_->start(); !started)
        lost(started.error().message());
}

void Bed::opened() {
    ++place_.tally.connected;
    backoff_ = first_backoff;
    pump();
}

void Bed::lost(const std::string& why) {
    if (ending_)
        return;
    if (wire_ != nullptr && wire_->was_open())
        --place_.tally.connected;
    wire_.reset();
    ++place_.tally.reconnects;
    place_.tally.trouble = monitor_.plan().source + ": " + why;
    std::ranges::move(again_, std::back_inserter(on_the_way_));
    again_ = std::exchange(on_the_way_, {});
    if (listener_.valid())
        return;  // the gateway comes back by itself
    reconnect_ = place_.loop.after(backoff_, [this] {
        reconnect_.reset();
        connect();
    });
    backoff_ = std::min(backoff_ * 2, longest_backoff);
}

void Bed::answered(const Answer& answer) {
    if (answer.kind == AnswerKind::query) {
        queried_ = true;
        return pump();
    }
    const auto found = std::ranges::find(on_the_way_, answer.control_id, [](const Sent& sent) {
        return std::string_view(sent.message.control_id);
    });
    if (found == on_the_way_.end() || answer.kind == AnswerKind::other) {
        ++place_.tally.unasked;
        return;
    }
    Sent sent = std::move(*found);
    on_the_way_.erase(found);
    settle(std::move(sent), answer);
    pump();
}

void Bed::settle(Sent sent, const Answer& answer) {
    Tally& tally = place_.tally;
    const auto source = monitor_.plan().source + ": ";
    if (answer.kind == AnswerKind::later) {
        ++tally.postponed;
        tally.trouble = source + "later: " + answer.text;
        again_.push_back(std::move(sent));
        return rest(after_postponed);
    }
    if (answer.kind == AnswerKind::never) {
        ++tally.refused;
        tally.trouble = source + "refused: " + answer.text;
        if (book_ && !book_->refused(sent.message, answer.text, place_.clock.wall()))
            tally.trouble = source + "cannot write the book";
        return;
    }
    ++tally.acknowledged;
    tally.observations += sent.message.script->expected.size();
    if (sent.measured) {
        const auto took = (place_.clock.monotonic().ns - sent.first_asked.ns) / 1000;
        tally.latencies.add(took);
        tally.recent.add(took);
    }
    if (book_)
        book_->acknowledged(monitor_, sent.message, sent.first, place_.clock.wall());
    if (sent.again)
        wire_->send(mischief_.steps(sent.message.text, Fault::none));
}

// Sends what window, pace and connection allow.
void Bed::pump() {
    const BedPlan& plan = monitor_.plan();
    if (wire_ == nullptr || !wire_->open() || (listener_.valid() && !queried_) || resting_)
        return;
    const auto window = static_cast<std::size_t>(plan.window);
    while (!again_.empty() && on_the_way_.size() < window && wire_->idle()) {
        Sent sent = std::move(again_.front());
        again_.pop_front();
        transmit(std::move(sent), Fault::none);
    }
    while (again_.empty() && on_the_way_.size() + static_cast<std::size_t>(plan.batch) <= window &&
           wire_->idle() && may_speak(plan.batch))
        speak();
    if (again_.empty() && !exhausted())
        wait_until_due();
}

bool Bed::exhausted() const noexcept {
    const auto most = monitor_.plan().messages;
    return stopped_ || (most > 0 && monitor_.messages() >= most);
}

bool Bed::may_speak(int count) {
    const auto most = monitor_.plan().messages;
    if (exhausted() || (most > 0 && monitor_.messages() + static_cast<std::uint64_t>(count) > most))
        return !exhausted() && count > 1;  // a last batch is made smaller
    return place_.plan.speed == 0 || due() <= place_.clock.monotonic();
}

void Bed::speak() {
    if (monitor_.plan().batch > 1)
        return transmit_batch();
    const Fault fault = mischief_.draw();
    for (int count = mischief_.burst(fault); count > 0 && !exhausted(); --count)
        transmit(compose(), fault);
}

Lane Bed::next_lane() const noexcept {
    const BedPlan& plan = monitor_.plan();
    if (plan.waves_every.count() == 0)
        return Lane::vitals;
    return plan.vitals_every.count() == 0 || waves_at_ < vitals_at_ ? Lane::waves : Lane::vitals;
}

base::MonotonicTime Bed::due() const noexcept {
    const double at = next_lane() == Lane::waves ? waves_at_ : vitals_at_;
    const double speed = place_.plan.speed == 0 ? 1 : place_.plan.speed;
    return {origin_.ns + static_cast<std::int64_t>(at / speed * 1e6)};
}

Bed::Sent Bed::compose() {
    const auto late_ns = place_.clock.monotonic().ns - due().ns;
    if (late_ns > catch_up_ns)
        origin_.ns += late_ns - catch_up_ns;
    const Lane lane = next_lane();
    auto& at = lane == Lane::waves ? waves_at_ : vitals_at_;
    at += static_cast<double>(
        (lane == Lane::waves ? monitor_.plan().waves_every : monitor_.plan().vitals_every).count());
    Sent sent;
    sent.first = place_.clock.wall();
    sent.message = monitor_.say(lane, sent.first);
    sent.first_asked = place_.clock.monotonic();
    ++place_.tally.messages;
    return sent;
}

void Bed::transmit(Sent sent, Fault fault) {
    sent.asked = place_.clock.monotonic();
    sent.measured = sent.measured && (fault == Fault::none || fault == Fault::tail);
    // Right behind itself, or after its answer: a gateway meets both.
    sent.again = fault == Fault::resend && monitor_.messages() % 2 == 0;
    auto steps = mischief_.steps(sent.message.text, sent.again ? Fault::none : fault);
    on_the_way_.push_back(std::move(sent));
    wire_->send(std::move(steps));
}

void Bed::transmit_batch() {
    std::vector<const Message*> messages;
    const auto first = on_the_way_.size();
    for (int i = 0; i < monitor_.plan().batch && !exhausted(); ++i) {
        on_the_way_.push_back(compose());
        on_the_way_.back().asked = on_the_way_.back().first_asked;
    }
    for (std::size_t i = first; i < on_the_way_.size(); ++i)
        messages.push_back(&on_the_way_[i].message);
    wire_->send(mischief_.steps(monitor_.batch(messages), Fault::none));
}

void Bed::wait_until_due() {
    if (timer_ || place_.plan.speed == 0)
        return;
    const auto wait_ns = due().ns - place_.clock.monotonic().ns;
    if (wait_ns <= 0)
        return;  // the window is full: the next answer calls
    timer_ = place_.loop.after(Milliseconds((wait_ns + 999'999) / 1'000'000), [this] {
        timer_.reset();
        pump();
    });
}

void Bed::rest(Milliseconds pause) {
    if (timer_)
        place_.loop.cancel(*timer_);
    resting_ = true;
    timer_ = place_.loop.after(pause, [this] {
        timer_.reset();
        resting_ = false;
        pump();
    });
}

void Bed::tick() {
    if (wire_ == nullptr || on_the_way_.empty() || !wire_->idle())
        return;
    const auto waited = place_.clock.monotonic() - on_the_way_.front().asked;
    if (waited > place_.plan.answer_within)
        lost("no answer within " + std::to_string(place_.plan.answer_within.count() / 1000) + " s");
}

bool Bed::done() const noexcept {
    return exhausted() && on_the_way_.empty() && again_.empty();
}

base::Status Bed::flush() {
    return book_ ? book_->flush() : base::Status();
}

base::Result<std::size_t> Bed::close() {
    ending_ = true;
    MITRAL_CHECK(flush());
    for (const auto* waiting : {&on_the_way_, &again_}) {
        for (const auto& sent : *waiting) {
            if (book_)
                MITRAL_CHECK(book_->pending(monitor_, sent.message, sent.first));
        }
    }
    return on_the_way_.size() + again_.size();
}

}  // namespace mitral::bedside
