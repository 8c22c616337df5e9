#include "cloud/front/link.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "cloud/front/link_pool.hpp"

namespace mitral::cloud::front {
namespace {

using base::EventLoop;
using Kind = net::IoOutcome::Kind;

constexpr std::size_t read_budget = 256 * 1024;  // bytes of one link in one pass: nobody starves
constexpr base::Milliseconds farewell_timeout{5'000};
constexpr base::Milliseconds longest_lag{60'000};
constexpr std::size_t most_late_input = 256 * 1024;  // beyond it the client waits
constexpr std::size_t kept_capacity = 4 * 1024;  // of an empty buffer; more goes back to the heap

void release_if_large(base::Bytes& buffer) {
    buffer.clear();
    if (buffer.capacity() > kept_capacity)
        base::Bytes().swap(buffer);
}

}  // namespace

void Protocol::on_deadline() {
    transport_.close("deadline passed");
}

Link::Link(LinkPool& pool, std::uint64_t id, net::Stream stream,
           const ProtocolFactory& make_protocol, const Origin& origin)
    : pool_(pool),
      id_(id),
      stream_(std::move(stream)),
      late_input_(pool.loop(), pool.clock(), [this](base::ByteView bytes) { take_late(bytes); }),
      late_output_(pool.loop(), pool.clock(), [this](base::ByteView bytes) { enqueue(bytes); }),
      lag_(origin.lag),
      port_(origin.port),
      protocol_(make_protocol(*this)) {
    ++pool_.handshakes_;
}

Link::~Link() {
    pool_.strangers_.erase(id_);
    if (!handshaken_)
        --pool_.handshakes_;
    if (!vanished_)
        pool_.loop().unwatch(stream_.fd());
    if (timer_at_)
        pool_.loop().cancel(timer_);
    (void)pool_.account(accounted_, 0);
}

void Link::note_admitted() noexcept {
    pool_.strangers_.erase(id_);
}

const base::Clock& Link::clock() const noexcept {
    return pool_.clock();
}

base::EventLoop& Link::loop() noexcept {
    return pool_.loop();
}

void Link::start() {
    interest_ = EventLoop::readable;
    const auto watched = pool_.loop().watch(stream_.fd(), interest_,
                                            [this](std::uint32_t ready) { on_ready(ready); });
    if (!watched)
        return close("cannot watch: " + watched.error().message());
    set_deadline(clock().monotonic() + pool_.limits_.first_request_timeout);
}

void Link::on_ready(std::uint32_t ready) {
    if (closing_)
        return;
    if (!handshaken_)
        return continue_handshake();
    // Both directions are gone: what cannot be read now will never end otherwise.
    if ((ready & EventLoop::hung_up) != 0 && (output_congested() || close_when_sent_))
        return close("connection lost");
    if ((ready & EventLoop::writable) != 0)
        pool_.mark_dirty(*this);
    if ((ready & (EventLoop::readable | EventLoop::hung_up)) != 0)
        read_some();
}

void Link::continue_handshake() {
    const auto outcome = stream_.handshake();
    if (!outcome) {
        // Clients report a TLS failure in words that hide its cause: it stands here.
        base::log(base::Severity::notice, "handshake-failed",
                  {{"cause", outcome.error().message()}});
        return close(outcome.error().message());
    }
    if (outcome->kind == Kind::closed)
        return close("closed during the handshake");
    handshaken_ = outcome->kind == Kind::done;
    if (handshaken_)
        pool_.note_handshake_done();
    handshake_wants_write_ = outcome->kind == Kind::want_write;
    update_interest();
    if (handshaken_)
        read_some();
}

void Link::read_some() {
    for (std::size_t taken = 0;
         taken < read_budget && !closing_ && !close_when_sent_ && !vanished_;) {
        // The peer does not read its answers: stop reading its requests.
        if (output_congested() || late_input_.size() >= most_late_input)
            return update_interest();
        const auto outcome = stream_.read(pool_.scratch());
        if (!outcome)
            return close(outcome.error().message());
        if (outcome->kind == Kind::closed)
            return client_closed();
        if (outcome->kind != Kind::done)
            return;
        taken += outcome->bytes;
        const auto received = pool_.scratch().first(outcome->bytes);
        const auto delay = lag_ != nullptr ? lag_->inbound() : base::Milliseconds(0);
        if (delay > base::Milliseconds(0) || !late_input_.empty())
            late_input_.put(received, delay);
        else
            take_input(received);
    }
    if (!closing_ && !vanished_ && stream_.pending())
        pool_.read_again(*this);
}

void Link::client_closed() {
    late_input_.release_all();  // what it said before it went
    close("closed by the client");
}

void Link::take_late(base::ByteView received) {
    if (closing_ || close_when_sent_ || vanished_)
        return;
    take_input(received);
    update_interest();
}

void Link::take_input(base::ByteView received) {
    const bool had_rest = !input_.empty();
    if (had_rest)
        input_.insert(input_.end(), received.begin(), received.end());
    const base::ByteView all = had_rest ? base::ByteView(input_) : received;
    const auto taken = protocol_->on_bytes(all);
    if (!taken)
        return close(taken.error().message());
    if (had_rest) {
        input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(*taken));
        if (input_.empty())
            release_if_large(input_);
    } else if (*taken < received.size()) {
        const auto rest = received.subspan(*taken);
        input_.assign(rest.begin(), rest.end());
    }
    account();
    if (next_protocol_ && !closing_) {
        protocol_ = std::exchange(next_protocol_, nullptr);
        if (!input_.empty())
            take_input({});
    }
}

void Link::note_kept(std::size_t bytes) noexcept {
    kept_ = bytes;
    account();
}

void Link::account() noexcept {
    const std::size_t now =
        input_.capacity() + output_.capacity() + kept_ + late_input_.size() + late_output_.size();
    const bool within = pool_.account(accounted_, now);
    const bool grew = now > accounted_;
    accounted_ = now;
    if (!within && grew)
        close("memory for connections used up");
}

void Link::send(base::ByteView bytes) {
    if (closing_ || vanished_)
        return;
    const auto delay = lag_ != nullptr && !bytes.empty() ? lag_->outbound() : base::Milliseconds(0);
    if (delay > base::Milliseconds(0) || !late_output_.empty())
        late_output_.put(bytes, delay);
    else
        output_.insert(output_.end(), bytes.begin(), bytes.end());
    enqueue({});
}

void Link::enqueue(base::ByteView bytes) {
    if (closing_ || vanished_)
        return;
    output_.insert(output_.end(), bytes.begin(), bytes.end());
    if (queued() > output_limit)
        return close("client does not read");
    // Even when one flush empties the queue: who stopped for it waits to be called.
    was_congested_ = was_congested_ || output_congested();
    account();
    pool_.mark_dirty(*this);
}

void Link::send_after_commit(base::ByteView bytes) {
    needs_commit_ = true;
    send(bytes);
}

void Link::flush() {
    while (sendable() > 0) {
        const auto outcome = stream_.write(base::ByteView(output_).subspan(sent_));
        if (!outcome)
            return close(outcome.error().message());
        if (outcome->kind == Kind::closed)
            return close("closed by the client");
        if (outcome->kind != Kind::done)
            break;
        sent_ += outcome->bytes;
    }
    if (sendable() == 0) {
        release_if_large(output_);
        sent_ = 0;
        if (close_when_sent_ && late_output_.empty())
            return close(close_reason_);
    }
    account();
    note_congestion();
    update_interest();
}

void Link::note_congestion() {
    if (was_congested_ && !output_congested() && !closing_) {
        protocol_->on_writable();
        pool_.read_again(*this);
    }
    was_congested_ = output_congested();
}

bool Link::reads() const noexcept {
    return !output_congested() && !close_when_sent_ && late_input_.size() < most_late_input;
}

void Link::update_interest() {
    if (closing_ || vanished_)
        return;
    std::uint32_t wanted = 0;
    if (!handshaken_)
        wanted = handshake_wants_write_ ? EventLoop::writable : EventLoop::readable;
    else
        wanted = (reads() ? EventLoop::readable : 0) | (sendable() > 0 ? EventLoop::writable : 0);
    was_congested_ = was_congested_ || output_congested();
    if (wanted == interest_)
        return;
    interest_ = wanted;
    if (const auto changed = pool_.loop().modify(stream_.fd(), wanted); !changed)
        close(changed.error().message());
}

void Link::close(std::string_view reason) {
    if (closing_)
        return;
    closing_ = true;
    close_reason_ = reason;
    if (!vanished_)
        pool_.loop().unwatch(stream_.fd());
    pool_.mark_dirty(*this);
}

void Link::close_when_sent(std::string_view reason) {
    if (closing_)
        return;
    close_when_sent_ = true;
    close_reason_ = reason;
    if (vanished_)
        return close(reason);
    // What is late on purpose does not use the time up.
    set_deadline(clock().monotonic() + farewell_timeout +
                 (late_output_.empty() ? base::Milliseconds(0) : longest_lag));
    pool_.mark_dirty(*this);
}

void Link::vanish() {
    if (closing_ || std::exchange(vanished_, true))
        return;
    pool_.loop().unwatch(stream_.fd());
    output_.clear();
    sent_ = 0;
    account();
}

void Link::come_to_light() {
    if (!std::exchange(vanished_, false))
        return;
    close("fault: half-open connection ended");
}

void Link::set_deadline(base::MonotonicTime at) {
    deadline_ = at;
    // Deadlines mostly move back, with every packet: the timer that runs finds the new one by
    // itself.
    if (!timer_at_ || at < *timer_at_)
        arm_timer(at);
}

void Link::arm_timer(base::MonotonicTime at) {
    if (timer_at_)
        pool_.loop().cancel(timer_);
    const auto wait = std::max(at - clock().monotonic(), base::Milliseconds(0));
    timer_at_ = at;
    timer_ = pool_.loop().after(wait + base::Milliseconds(1), [this] { on_timer(); });
}

void Link::on_timer() {
    timer_at_.reset();
    if (!deadline_ || closing_)
        return;
    if (clock().monotonic() < *deadline_)
        return arm_timer(*deadline_);
    deadline_.reset();
    if (!handshaken_)
        close("handshake took too long");
    else if (close_when_sent_)
        close(close_reason_);
    else
        protocol_->on_deadline();
}

}  // namespace mitral::cloud::front
