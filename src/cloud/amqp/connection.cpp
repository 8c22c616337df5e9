#include "cloud/amqp/connection.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "cloud/amqp/engine.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr int rounds_per_turn = 4;  // then others get theirs
constexpr std::string_view protocol_header("AMQP\0\1\0\0", 8);
constexpr std::chrono::seconds longest_wait{24 * 3600};  // tokens of the year 9999 are common
constexpr base::Milliseconds shortest_heartbeat{250};    // whatever the peer asks for

}  // namespace

Connection::Connection(front::Transport& below, std::unique_ptr<Nodes> nodes,
                       const ClaimJudge& judge, ConnectionLimits limits)
    : Protocol(below),
      judge_(judge),
      limits_(limits),
      claim_due_(below.clock().monotonic() + limits.claim_timeout),
      nodes_(std::move(nodes)),
      engine_(std::make_unique<Engine>(*this, *nodes_, limits_)) {
    engine_->sasl().admit_plain = [this](std::string_view user, std::string_view password) {
        return admit_plain(user, password);
    };
}

Connection::~Connection() {
    forget_timer();
}

bool Connection::admit_plain(std::string_view user, std::string_view password) {
    auto claim = judge_.judge_plain(user, password);
    if (!claim) {
        base::log(base::Severity::notice, "amqp-refused", {{"cause", claim.error().message()}});
        return false;
    }
    transport().note_admitted();
    return claims_.add(*std::move(claim));
}

base::Status Connection::put_token(std::string_view token) {
    auto claim = judge_.judge(token);
    if (!claim) {
        base::log(base::Severity::notice, "amqp-refused", {{"cause", claim.error().message()}});
        if (++refused_tokens_ > limits_.refused_tokens)
            engine_->close({"amqp:unauthorized-access", "too many tokens that are not accepted"});
        return std::unexpected(std::move(claim).error());
    }
    if (!claims_.add(*std::move(claim)))
        return base::fail(CloudError::not_authorised, "too many tokens");
    transport().note_admitted();
    return {};
}

base::Result<std::size_t> Connection::on_bytes(base::ByteView input) {
    if (ending_)
        return 0;
    in_turn_ = true;
    const auto taken = engine_->take(input);
    if (!taken && engine_->refused_protocol()) {
        in_turn_ = false;
        transport().send(base::as_bytes(protocol_header));  // part 2, § 2.2: what it could speak
        end("no AMQP 1.0");
        return input.size();
    }
    if (!taken)
        engine_->close({"amqp:connection:framing-error", taken.error().context});
    turn();
    return taken ? *taken : input.size();
}

void Connection::end(std::string_view reason) {
    ending_ = true;
    forget_timer();
    transport().close_when_sent(reason);
}

void Connection::on_writable() {
    wake();
}

void Connection::wake() {
    if (in_turn_)
        return;
    turn();
}

// Lets the attachments produce, hands the bytes to the link, and looks at the clock.
void Connection::turn() {
    if (ending_)
        return (void)drain();
    in_turn_ = true;
    bool again = true;
    for (int round = 0; again && round < rounds_per_turn && !transport().closing(); ++round) {
        again = !transport().output_congested() && engine_->pump();
        again = drain() || again;
    }
    in_turn_ = false;
    if (transport().closing())
        return;
    if (engine_->finished()) {
        if (const auto failure = engine_->failure(); !failure.empty())
            base::log(base::Severity::notice, "amqp-connection-failed", {{"cause", failure}});
        return end("AMQP connection ended");
    }
    if (again && !transport().output_congested())
        wake_after(base::Milliseconds(0));
    set_next_deadline();
}

// True when something left.
bool Connection::drain() {
    bool drained = false;
    while (!transport().closing() && !transport().output_congested()) {
        const auto bytes = engine_->output();
        if (bytes.empty())
            break;
        transport().send(bytes);
        engine_->sent(bytes.size());
        drained = true;
    }
    return drained;
}

void Connection::wake_after(base::Milliseconds delay) {
    const auto at = transport().clock().monotonic() + delay;
    if (turn_at_ && *turn_at_ <= at)
        return;
    forget_timer();
    turn_at_ = at;
    turn_timer_ = transport().loop().after(delay, [this] {
        turn_at_.reset();
        if (!transport().closing())
            turn();
    });
}

void Connection::forget_timer() {
    if (std::exchange(turn_at_, std::nullopt))
        transport().loop().cancel(turn_timer_);
}

std::optional<base::MonotonicTime> Connection::claims_end() {
    const auto until = claims_.first_expiry_s();
    if (!until)
        return std::nullopt;
    // One second more: what ended in the second that has begun is not dropped yet.
    const auto now = judge_.now_s();
    const auto left = base::Seconds(std::min(*until, now + longest_wait.count()) - now + 1) +
                      limits_.expiry_grace;
    return transport().clock().monotonic() + std::max(base::Seconds(0), left);
}

void Connection::set_next_deadline() {
    auto deadline = claims_end().value_or(claim_due_);
    const auto now = transport().clock().monotonic();
    if (const auto tick = engine_->tick(now))
        deadline = std::min(deadline, std::max(*tick, now + shortest_heartbeat));
    transport().set_deadline(deadline);
}

void Connection::on_deadline() {
    if (ending_)
        return transport().close("it does not read the end");
    const auto now = transport().clock().monotonic();
    const bool lapsed = claims_.drop_ended(judge_.now_s() - limits_.expiry_grace.count());
    if (claims_.empty() && !lapsed && now >= claim_due_)
        return transport().close("no token in time");
    if (claims_.empty() && lapsed) {
        engine_->close({"amqp:unauthorized-access", "the token has expired"});
        turn();
        return end("token expired");
    }
    if (lapsed)
        engine_->end_lapsed();
    (void)engine_->tick(now);
    turn();
}

void Connection::on_closed(std::string_view) {
    forget_timer();
    engine_->forget_links();
}

}  // namespace mitral::cloud::amqp
