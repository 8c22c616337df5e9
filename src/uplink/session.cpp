#include "uplink/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "uplink/error.hpp"

namespace mitral::uplink {
namespace {

// Written bytes are cut off the front of the buffer only beyond this, to move little.
constexpr std::size_t compact_above = 64 * 1024;

constexpr std::uint8_t puback_header = 0x40;
constexpr std::uint8_t pingresp_header = 0xD0;

}  // namespace

Refusal explain_refusal(std::uint8_t return_code) noexcept {
    // After what real hubs were seen to answer: 5 for a bad key, an expired token, an unknown
    // device.
    constexpr std::array<Refusal, 6> refusals{{
        {0, "accepted", ""},
        {1, "the server does not speak MQTT 3.1.1",
         "check that the assigned hub name and hub_port lead to an IoT hub"},
        {2, "the server refuses the device id", "run mitral-enrol again"},
        {3, "the hub is unavailable or throttles", "wait; it is tried again ever more slowly"},
        {4, "bad user name or password",
         "check hub and device id of the assignment; run mitral-enrol again"},
        {5, "not authorised: token refused, or device unknown or disabled",
         "check the clock (mitral doctor), that the device is enabled at the hub, and run "
         "mitral-enrol again"},
    }};
    return return_code < refusals.size()
               ? refusals[return_code]
               : Refusal{return_code, "a return code MQTT 3.1.1 does not have", "check the hub"};
}

Session::Session(SessionOptions options, const base::Clock& clock)
    : options_(options), clock_(clock), in_flight_(options.window) {}

base::Status Session::start(std::string_view client_id, std::string_view username,
                            base::ByteView password) {
    MITRAL_TRY(connect_, encode_connect({client_id, username, password,
                                         static_cast<std::uint16_t>(std::clamp<std::int64_t>(
                                             options_.keep_alive.count(), 1, 0xFFFF))}));
    state_ = State::connecting;
    started_ = last_sent_ = clock_.monotonic();
    return {};
}

base::Status Session::receive(base::ByteView data, std::vector<Acknowledged>& acknowledged) {
    if (state_ == State::failed)
        return base::fail(UplinkError::link_closed, "the session has failed before");
    while (!data.empty()) {
        const auto packet = decoder_.next(data);
        if (!packet)
            return violate(packet.error());
        if (*packet)
            MITRAL_CHECK(handle(**packet, acknowledged));
    }
    return {};
}

base::Status Session::handle(const Inbound& packet, std::vector<Acknowledged>& acknowledged) {
    if (packet.kind == Inbound::Kind::connack)
        return handle_connack(packet);
    const std::uint8_t header =
        packet.kind == Inbound::Kind::puback ? puback_header : pingresp_header;
    if (state_ != State::up && state_ != State::disconnected)
        return violate({Violation::Kind::answer_before_connack, header});
    if (packet.kind == Inbound::Kind::pingresp) {
        if (!ping_sent_)
            return violate({Violation::Kind::unasked_pingresp, header});
        ping_sent_.reset();
        return {};
    }
    const auto entry = in_flight_.remove(packet.packet_id);
    if (!entry)
        return violate({Violation::Kind::unknown_packet_id, header});
    acknowledged.push_back({entry->tag, entry->sent});
    return {};
}

base::Status Session::handle_connack(const Inbound& packet) {
    constexpr std::uint8_t header = 0x20;
    if (state_ != State::connecting)
        return violate({Violation::Kind::second_connack, header});
    if (!connect_.empty())  // not even the whole CONNECT has left
        return violate({Violation::Kind::answer_before_connack, header});
    return_code_ = packet.return_code;
    if (packet.session_present)
        return violate({Violation::Kind::session_present, header});
    if (packet.return_code != 0) {
        state_ = State::failed;
        const Refusal refusal = explain_refusal(packet.return_code);
        return base::fail(
            UplinkError::refused_by_hub,
            fmt::format("CONNACK {}: {}; {}", refusal.code, refusal.cause, refusal.remedy));
    }
    state_ = State::up;
    return {};
}

base::Status Session::violate(Violation violation) {
    violation_ = violation;
    state_ = State::failed;
    return base::fail(UplinkError::protocol_violation, describe(violation));
}

base::Status Session::give_up(std::string_view what) {
    state_ = State::failed;
    return base::fail(UplinkError::no_answer, std::string(what));
}

base::Status Session::tick() {
    const base::MonotonicTime now = clock_.monotonic();
    if (state_ == State::connecting && now >= started_ + options_.connect_timeout)
        return give_up("no CONNACK");
    if (state_ != State::up)
        return {};
    if (const auto oldest = in_flight_.oldest();
        oldest && now >= *oldest + options_.acknowledge_timeout)
        return give_up(
            fmt::format("no PUBACK for {} s", options_.acknowledge_timeout.count() / 1000));
    if (ping_sent_) {
        if (now >= *ping_sent_ + options_.ping_timeout)
            return give_up("no PINGRESP");
        return {};
    }
    if (now >= last_sent_ + options_.keep_alive) {
        append_pingreq(out_);
        ping_sent_ = last_sent_ = now;
    }
    return {};
}

std::optional<base::MonotonicTime> Session::next_deadline() const {
    if (state_ == State::connecting)
        return started_ + options_.connect_timeout;
    if (state_ != State::up)
        return std::nullopt;
    // The hub waits one and a half keep-alive times (§3.1.2.10).
    base::MonotonicTime due =
        ping_sent_ ? *ping_sent_ + options_.ping_timeout : last_sent_ + options_.keep_alive;
    if (const auto oldest = in_flight_.oldest())
        due = std::min(due, *oldest + options_.acknowledge_timeout);
    return due;
}

bool Session::may_publish() const noexcept {
    return state_ == State::up && !in_flight_.full();
}

base::Status Session::publish(Tag tag, Topic topic, base::ByteView payload) {
    const base::MonotonicTime now = clock_.monotonic();
    const std::uint16_t packet_id = in_flight_.add(tag, now);
    if (auto appended = append_publish(out_, topic, packet_id, payload); !appended) {
        (void)in_flight_.remove(packet_id);
        return appended;
    }
    last_sent_ = now;
    return {};
}

void Session::disconnect() {
    if (state_ == State::up) {
        append_disconnect(out_);
        state_ = State::disconnected;
    }
}

base::ByteView Session::output() const noexcept {
    return (connect_.empty() ? base::ByteView(out_) : connect_.view()).subspan(written_);
}

void Session::consumed(std::size_t count) noexcept {
    written_ += count;
    if (!connect_.empty()) {
        if (written_ == connect_.size()) {
            connect_ = {};
            written_ = 0;
        }
        return;
    }
    if (written_ == out_.size()) {
        out_.clear();
        written_ = 0;
    } else if (written_ > compact_above) {
        out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(written_));
        written_ = 0;
    }
}

}  // namespace mitral::uplink
