#include "uplink/uplink.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "azure/topics.hpp"
#include "base/fail_point.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "uplink/error.hpp"
#include "uplink/renewal.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;
using base::Severity;

FailureKind kind_of(const base::Error& error, std::optional<std::uint8_t> return_code) {
    if (error.code == UplinkError::protocol_violation)
        return FailureKind::violation;
    if (error.code != UplinkError::refused_by_hub || !return_code)
        return FailureKind::unreachable;
    return *return_code == 3 ? FailureKind::throttled : FailureKind::authentication;
}

// The peer is not who it should be, or offers less than the floor: somebody may be in the middle.
bool is_tls_refusal(const std::error_code& code) {
    using net::NetError;
    return code == NetError::untrusted_issuer || code == NetError::self_signed ||
           code == NetError::name_mismatch || code == NetError::certificate_expired ||
           code == NetError::certificate_not_yet_valid || code == NetError::certificate_invalid ||
           code == NetError::protocol_version || code == NetError::no_shared_cipher;
}

}  // namespace

Uplink::Uplink(Settings settings, Parts parts)
    : settings_(std::move(settings)),
      parts_(std::move(parts)),
      feeds_(parts_.loop, parts_.clock, settings_.max_messages_per_s, [this] { on_wake(); }),
      checkpoints_(
          parts_.clock, settings_.checkpoint_interval,
          [this](const attest::Report& report) { return parts_.vault.checkpoint(report); }),
      policy_(settings_.reconnect, parts_.random) {}

Uplink::~Uplink() {
    for (const auto& timer : {attempt_timer_, renewal_timer_, drain_timer_, persist_timer_,
                              checkpoint_timer_, status_timer_}) {
        if (timer)
            parts_.loop.cancel(*timer);
    }
}

void Uplink::set_timer(std::optional<base::EventLoop::TimerId>& timer, Milliseconds delay,
                       std::function<void()> handler) {
    if (timer)
        parts_.loop.cancel(*timer);
    timer = parts_.loop.after(delay, [&timer, call = std::move(handler)] {
        timer.reset();
        call();
    });
}

void Uplink::start() {
    set_timer(attempt_timer_, Milliseconds(0), [this] { attempt(); });
}

// ── Connecting ──────────────────────────────────────────────────────────────────────────────────

void Uplink::attempt() {
    MITRAL_FAIL_POINT("uplink.attempt");
    phase_ = Phase::connecting;
    if (const auto begun = connect(); !begun)
        retry_after(begun.error(), FailureKind::unreachable);
    status_soon();
}

base::Status Uplink::connect() {
    MITRAL_TRY(assignment_, read_assignment(settings_.assignment_file, settings_.hub_port));
    status_.hub = assignment_.hub;
    status_.device_id = assignment_.device_id;
    MITRAL_TRY(topic_head_, azure::telemetry_topic_head(assignment_.device_id, {}));
    MITRAL_TRY(auto username, azure::hub_username(assignment_.hub, assignment_.device_id));
    MITRAL_TRY(auto token, take_token(assignment_.hub));
    MITRAL_TRY(auto socket, net::connect_tcp({.target = {assignment_.host, settings_.hub_port},
                                              .proxy = settings_.proxy,
                                              .timeout = settings_.connect_timeout}));
    MITRAL_FAIL_POINT("uplink.tcp-connected");
    MITRAL_TRY(auto stream, parts_.tls.connect(std::move(socket), assignment_.host));
    link_ = std::make_unique<Link>(
        parts_.loop, parts_.clock, std::move(stream),
        Credentials{assignment_.device_id, std::move(username), std::move(token)},
        Link::Options{settings_.session, settings_.connect_timeout},
        Link::Handlers{
            .up = [this] { on_up(); },
            .acknowledged = [this](const auto& acknowledged) { on_acknowledged(acknowledged); },
            .writable = [this] { publish_ready(); },
            .down = [this](const base::Error& error) { on_down(error); }});
    published_on_link_ = acknowledged_on_link_ = 0;
    return link_->start();
}

// A copy: the token itself stays until a hub has it, so that attempts at a hub that is out of reach
// do not cost the trust zone a mint each.
base::Result<base::Secret> Uplink::take_token(const std::string& hub) {
    const Milliseconds age = parts_.clock.monotonic() - minted_at_;
    if (fresh_ && fresh_->hub == hub &&
        has_half_its_life(settings_.token_lifetime, age, fresh_->token.not_after_s,
                          parts_.clock.wall()))
        return base::Secret(fresh_->token.text.view());
    fresh_.reset();
    auto token = parts_.vault.mint(hub, settings_.token_lifetime);
    if (!token)
        return base::fail_with("token for " + hub, token.error());
    minted_at_ = parts_.clock.monotonic();
    status_.token_issued = parts_.clock.wall();
    status_.token_expires = {token->not_after_s * 1000};
    fresh_ = HeldToken{*std::move(token), hub};
    MITRAL_FAIL_POINT("uplink.token-minted");
    return base::Secret(fresh_->token.text.view());
}

void Uplink::on_up() {
    MITRAL_FAIL_POINT("uplink.connected");
    phase_ = Phase::connected;
    fresh_.reset();
    up_since_ = parts_.clock.monotonic();
    feeds_.put_live_first();
    checkpoints_.link_up();
    status_.connected_since = parts_.clock.wall();
    status_.tls_version = link_->tls_version();
    status_.tls_cipher = link_->tls_cipher();
    ++status_.connections;
    base::log(Severity::info, "connected",
              {{"hub", assignment_.hub},
               {"device", assignment_.device_id},
               {"tls", status_.tls_version},
               {"cipher", status_.tls_cipher}});
    const Milliseconds lifetime = usable_lifetime(
        settings_.token_lifetime, status_.token_expires.unix_seconds(), status_.token_issued);
    const Milliseconds age = up_since_ - minted_at_;
    set_timer(renewal_timer_,
              std::max(renewal_delay(lifetime, parts_.random()) - age, Milliseconds(1'000)),
              [this] { renew(); });
    status_soon();
}

// ── Failing ─────────────────────────────────────────────────────────────────────────────────────

void Uplink::on_down(const base::Error& error) {
    MITRAL_FAIL_POINT("uplink.link-down");
    const auto kind = kind_of(error, link_->session().return_code());
    const bool was_up = status_.connected_since.ms != 0;
    if (!was_up && link_->session().state() != Session::State::idle)
        fresh_.reset();  // CONNECT went out with it: the hub may have seen it
    if (was_up) {
        note_end();
        if (published_on_link_ > 0 && acknowledged_on_link_ == 0)
            base::log(Severity::warning, "nothing-acknowledged",
                      {{"hub", assignment_.hub},
                       {"cause", "the hub took the connection and dropped it at the first message"},
                       {"remedy", "check the hub's daily quota and throttling metrics"}});
    }
    retire_link();
    feeds_.rewind();
    checkpoints_.link_lost();
    if (phase_ == Phase::stopping)
        return finish_drain();
    retry_after(error, kind);
}

void Uplink::retry_after(const base::Error& error, FailureKind kind) {
    note_security(error);
    ++status_.failures;
    status_.last_error = error.message();
    status_.last_error_at = parts_.clock.wall();
    const Milliseconds delay = policy_.failed(kind);
    status_.consecutive_failures = policy_.consecutive_failures();
    base::log(Severity::warning, "not-connected",
              {{"hub", assignment_.hub},
               {"cause", error.message()},
               {"failures", status_.consecutive_failures},
               {"retry_ms", delay.count()}});
    if (policy_.take_reassign_hint())
        hint_reassignment();
    phase_ = Phase::waiting;
    set_timer(attempt_timer_, delay, [this] { attempt(); });
    status_soon();
}

// The uplink cannot register by itself: that would need a connection that receives. The file is for
// whoever supervises the unit.
void Uplink::hint_reassignment() {
    base::log(Severity::error, "assignment-may-be-stale",
              {{"hub", assignment_.hub},
               {"failures", policy_.consecutive_failures()},
               {"remedy", "register again: systemctl restart mitral-enrol"}});
    const std::string path = settings_.state + "/reassign";
    const std::string reason = status_.last_error + "\n";
    if (const auto written = base::replace_file(path, base::as_bytes(reason), 0644); !written)
        base::log(Severity::warning, "reassign-hint-not-stored",
                  {{"cause", written.error().message()}});
}

void Uplink::note_end() {
    policy_.ended(parts_.clock.monotonic() - up_since_, acknowledged_on_link_ == 0,
                  published_on_link_ > 0);
}

void Uplink::retire_link() {
    status_.connected_since = {};
    status_.tls_version.clear();
    status_.tls_cipher.clear();
    status_.in_flight = 0;
    // Both were about this link; what is left of them must not meet the next one.
    for (auto* timer : {&renewal_timer_, &drain_timer_, &checkpoint_timer_}) {
        if (*timer)
            parts_.loop.cancel(**timer);
        timer->reset();
    }
    if (!link_)
        return;
    link_->close();
    // It may be its own handler that brought us here.
    parts_.loop.after(Milliseconds(0), [old = std::shared_ptr<Link>(std::move(link_))] {});
}

void Uplink::note_security(const base::Error& error) {
    if (error.code == UplinkError::protocol_violation) {
        ++status_.security_events;
        base::log_security("hub-broke-protocol", {{"hub", assignment_.hub},
                                                  {"cause", error.context},
                                                  {"done", "link closed, nothing of it was used"}});
    } else if (is_tls_refusal(error.code)) {
        ++status_.security_events;
        base::log_security("hub-not-trusted",
                           {{"hub", assignment_.hub},
                            {"cause", error.message()},
                            {"done", "refused before any data or token was sent"}});
    }
}

}  // namespace mitral::uplink
