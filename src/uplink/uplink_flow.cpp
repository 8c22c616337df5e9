// What happens on a connection that is up: publishing, acknowledging, renewing, ending, telling.
#include <algorithm>

#include "base/fail_point.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "uplink/uplink.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;
using base::Severity;

constexpr Milliseconds status_interval{1'000};
constexpr Milliseconds persist_delay{200};
constexpr Milliseconds renewal_retry{30'000};
constexpr Milliseconds checkpoint_patience{1'000};   // looks again no sooner
constexpr Milliseconds last_checkpoint_wait{2'000};  // for its PUBACK

}  // namespace

void Uplink::publish_ready() {
    if (phase_ != Phase::connected)
        return;
    publish_checkpoints();
    while (link_->may_publish()) {
        const auto choice = feeds_.next();
        if (!choice)
            return;
        const std::uint32_t feed = choice->feed;
        const Tag tag{feed, feeds_.batch_of(feed), checkpoints_.published(feed, *choice->message)};
        const auto published =
            link_->publish(tag, {topic_head_, choice->message->bag}, choice->message->body);
        if (!published) {
            // Cannot happen within the bounds of clinical and azure; if it does, it stays queued.
            base::log(Severity::error, "not-published", {{"cause", published.error().message()}});
            feeds_.hold(feed, published.error());
            continue;
        }
        feeds_.pop(feed);
        MITRAL_FAIL_POINT("uplink.publish-queued");
        ++published_on_link_;
    }
}

// Ahead of data. What a checkpoint says of the positions is on disk before it is signed.
void Uplink::publish_checkpoints() {
    while (link_->may_publish() && checkpoints_.due()) {
        feeds_.persist();
        const Outgoing* const message = checkpoints_.front();
        if (message == nullptr)
            break;
        const auto published = link_->publish({Tag::checkpoint, 0, checkpoints_.pop_front()},
                                              {topic_head_, message->bag}, message->body);
        if (!published)
            base::log(Severity::error, "not-published", {{"cause", published.error().message()}});
        else
            ++published_on_link_;
    }
    const Milliseconds wait = checkpoints_.due_at() - parts_.clock.monotonic();
    if (!checkpoint_timer_)
        set_timer(checkpoint_timer_, std::max(wait, checkpoint_patience), [this] { on_wake(); });
}

// Before DISCONNECT at the end: what was delivered since the last one would have no evidence.
bool Uplink::publish_last_checkpoint() {
    checkpoints_.finish();
    const auto before = published_on_link_;
    publish_checkpoints();
    link_->drive();
    return link_ && published_on_link_ > before;
}

void Uplink::on_wake() {
    if (link_ && phase_ == Phase::connected)
        link_->drive();
    status_soon();
}

void Uplink::on_acknowledged(const std::vector<Acknowledged>& acknowledged) {
    const base::MonotonicTime now = parts_.clock.monotonic();
    for (const Acknowledged& one : acknowledged) {
        if (one.tag.feed == Tag::checkpoint) {
            checkpoints_.checkpoint_acknowledged(one.tag.number);
        } else {
            feeds_.acknowledged(one.tag.feed, one.tag.batch);
            checkpoints_.acknowledged(one.tag.number);
        }
        latency_.add((now.ns - one.sent.ns) / 1000);
    }
    acknowledged_on_link_ += acknowledged.size();
    if (feeds_.must_persist())
        persist_soon();
    status_soon();
    if (phase_ == Phase::renewing || phase_ == Phase::stopping)
        drain_further();
}

// ── Renewal and the end: both wait for what is under way, then leave politely ────────────────────

void Uplink::renew() {
    if (phase_ != Phase::connected)
        return;  // the next connection gets a fresh token anyway
    // Minted while the old connection still works: if the vault cannot, nothing is lost yet.
    fresh_.reset();
    const base::WallTime issued = parts_.clock.wall();
    const base::MonotonicTime minted = parts_.clock.monotonic();
    auto token = parts_.vault.mint(assignment_.hub, settings_.token_lifetime);
    if (!token) {
        status_.last_error = token.error().message();
        status_.last_error_at = issued;
        base::log(Severity::error, "token-not-renewed",
                  {{"hub", assignment_.hub},
                   {"cause", status_.last_error},
                   {"done", "the connection goes on until the hub ends it; tried again"}});
        set_timer(renewal_timer_, renewal_retry, [this] { renew(); });
        return;
    }
    MITRAL_FAIL_POINT("uplink.renewal-minted");
    status_.token_issued = issued;
    status_.token_expires = {token->not_after_s * 1000};
    minted_at_ = minted;
    fresh_ = HeldToken{*std::move(token), assignment_.hub};
    begin_drain(Phase::renewing, settings_.drain_timeout);
}

void Uplink::stop() {
    if (phase_ == Phase::stopping || phase_ == Phase::stopped)
        return;
    if (phase_ == Phase::connected || phase_ == Phase::renewing)
        return begin_drain(Phase::stopping, std::min(settings_.drain_timeout, Milliseconds(5'000)));
    if (attempt_timer_)
        parts_.loop.cancel(*attempt_timer_);
    attempt_timer_.reset();
    retire_link();
    finish_stop();
}

void Uplink::begin_drain(Phase phase, Milliseconds bound) {
    phase_ = phase;
    MITRAL_FAIL_POINT("uplink.drain");
    set_timer(drain_timer_, bound, [this] { finish_drain(); });
    status_soon();
    drain_further();
}

void Uplink::drain_further() {
    if (!link_ || link_->session().in_flight() > 0)
        return;
    // Not from inside the link's own handler.
    set_timer(drain_timer_, Milliseconds(0), [this] { finish_drain(); });
}

void Uplink::finish_drain() {
    if (drain_timer_)
        parts_.loop.cancel(*drain_timer_);
    drain_timer_.reset();
    if (phase_ == Phase::stopping && link_ && link_->session().in_flight() == 0 &&
        publish_last_checkpoint())
        return set_timer(drain_timer_, last_checkpoint_wait, [this] { finish_drain(); });
    if (link_) {
        const bool complete = link_->session().in_flight() == 0;
        note_end();
        MITRAL_FAIL_POINT("uplink.disconnect");
        link_->disconnect();
        MITRAL_FAIL_POINT("uplink.disconnected");
        retire_link();
        // What is still unacknowledged goes out again on the next connection, under the same
        // message ids: the consumer drops what it has.
        checkpoints_.link_lost();
        if (!complete)
            feeds_.rewind();
    }
    if (phase_ == Phase::stopping)
        return finish_stop();
    if (phase_ != Phase::renewing)
        return;
    ++status_.renewals;
    base::log(Severity::info, "token-renewed",
              {{"hub", assignment_.hub}, {"expires", base::to_iso8601(status_.token_expires)}});
    attempt();
}

void Uplink::finish_stop() {
    phase_ = Phase::stopped;
    MITRAL_FAIL_POINT("uplink.stop");
    feeds_.persist();
    write_status();
    parts_.loop.stop();
}

// ── Positions and status ────────────────────────────────────────────────────────────────────────

void Uplink::persist_soon() {
    if (!persist_timer_ && phase_ != Phase::stopped)
        set_timer(persist_timer_, persist_delay, [this] { feeds_.persist(); });
}

void Uplink::status_soon() {
    if (status_timer_ || phase_ == Phase::stopped)
        return;
    const Milliseconds since = parts_.clock.monotonic() - status_written_at_;
    set_timer(status_timer_, std::max(status_interval - since, Milliseconds(0)),
              [this] { write_status(); });
}

StatusReport Uplink::report() {
    status_.state = [this] {
        switch (phase_) {
            case Phase::waiting:
                return "waiting";
            case Phase::connecting:
                return "connecting";
            case Phase::connected:
                return "connected";
            case Phase::renewing:
                return "renewing";
            case Phase::stopping:
                return "stopping";
            case Phase::stopped:
                return "stopped";
        }
        return "unknown";
    }();
    status_.in_flight = link_ ? link_->session().in_flight() : std::uint16_t{0};
    status_.consecutive_failures = policy_.consecutive_failures();
    status_.lanes = feeds_.status();
    status_.checkpoints = checkpoints_.delivered();
    status_.checkpoint_trouble = checkpoints_.trouble();
    return status_;
}

void Uplink::write_status() {
    status_written_at_ = parts_.clock.monotonic();
    const StatusReport now = report();
    // While the hub is away nothing wakes us for new records; whoever watches the queue grow wants
    // to see it all the same.
    if (phase_ == Phase::waiting)
        status_soon();
    std::string unstamped = to_json(now, latency_, {});
    if (unstamped == written_status_)
        return;
    written_status_ = std::move(unstamped);
    const std::string text = to_json(now, latency_, parts_.clock.wall());
    const auto written =
        base::replace_passing_file(settings_.status_file, base::as_bytes(text), 0644);
    if (!written && !status_failed_)
        base::log(Severity::warning, "status-not-written", {{"cause", written.error().message()}});
    status_failed_ = !written;
}

}  // namespace mitral::uplink
