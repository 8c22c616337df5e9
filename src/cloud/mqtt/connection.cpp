#include "cloud/mqtt/connection.hpp"

#include <algorithm>
#include <utility>

#include "azure/dps.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::mqtt {
namespace {

using base::fail;

constexpr std::uint16_t max_keep_alive_s = 1177;  // IoT Hub: 1.5 times this is its cap of 1,767 s
constexpr std::size_t kept_answers = 256;

base::Milliseconds allowed_silence(std::uint16_t keep_alive_s) {
    const auto effective =
        keep_alive_s == 0 ? max_keep_alive_s : std::min(keep_alive_s, max_keep_alive_s);
    return base::Milliseconds(effective * 1'500);  // [MQTT-3.1.2-24]
}

}  // namespace

Connection::Connection(front::Transport& transport, Service& service, Roster& roster,
                       ConnectionCounters& counters)
    : Protocol(transport),
      service_(service),
      roster_(roster),
      counters_(counters),
      held_(transport.loop(), transport.clock(), [this](std::uint16_t id) { release(id); }) {
    roster_.add(*this);
}

Connection::~Connection() {
    roster_.remove(*this);
}

base::Result<std::size_t> Connection::on_bytes(base::ByteView input) {
    if (roster_.silent()) {
        fall_silent();
        return input.size();
    }
    std::size_t taken = 0;
    base::Status status;
    while (status && !finished_ && !transport().closing()) {
        const auto limit = session_ ? max_packet : max_connect_packet;
        auto frame = next_frame(input.subspan(taken), limit);
        if (!frame) {
            status = std::unexpected(std::move(frame).error());
            break;
        }
        if (!*frame)
            break;
        status = handle(**frame);
        taken += (*frame)->size;
        if (status)
            note_activity();
    }
    // What was accepted before a violation is still acknowledged.
    if (!answers_.empty())
        leave(answers_);
    answers_.clear();
    if (answers_.capacity() > kept_answers)
        base::Bytes().swap(answers_);
    if (!status) {
        ++counters_.violations;
        close(status.error().message());
    }
    return finished_ ? input.size() : taken;
}

base::Status Connection::handle(const Frame& frame) {
    if (frame.type == PacketType::connect)
        return on_connect(frame);
    if (!session_)
        return fail(CloudError::protocol_violation,
                    "first packet is no CONNECT");  // [MQTT-3.1.0-1]
    switch (frame.type) {
        case PacketType::publish:
            return on_publish(frame);
        case PacketType::subscribe:
            return on_subscribe(frame);
        case PacketType::unsubscribe:
            return on_unsubscribe(frame);
        case PacketType::puback: {
            MITRAL_TRY(const auto id, parse_packet_id(frame.body));
            session_->on_acknowledged(id);
            return {};
        }
        case PacketType::pingreq:
            if (!frame.body.empty())
                return fail(CloudError::malformed_packet, "PINGREQ with a body");
            append_pingresp(answers_);
            return {};
        case PacketType::disconnect:
            if (!frame.body.empty())
                return fail(CloudError::malformed_packet, "DISCONNECT with a body");
            end_session(true);
            close("client disconnected");
            return {};
        default:
            return fail(CloudError::protocol_violation, "packet type not allowed from a client");
    }
}

base::Status Connection::on_connect(const Frame& frame) {
    if (session_)
        return fail(CloudError::protocol_violation, "second CONNECT");  // [MQTT-3.1.0-2]
    MITRAL_TRY(const auto connect, parse_connect(frame.body));
    if (!connect.known_protocol) {
        refuse(ConnectCode::unacceptable_protocol);
        return {};
    }
    if (connect.client_id.empty()) {
        refuse(ConnectCode::identifier_rejected);
        return {};
    }
    auto admission = service_.admit(connect, *this);
    if (admission.code != ConnectCode::accepted) {
        refuse(admission.code);
        return {};
    }
    ++counters_.connects;
    // DPS judges a token with the registration only.
    if (!azure::is_dps_username(connect.user_name))
        transport().note_admitted();
    session_ = std::move(admission.session);
    device_ = connect.client_id.substr(0, connect.client_id.find('/'));
    expires_ = admission.expires;
    acknowledges_qos2_ = admission.acknowledges_qos2;
    silence_allowed_ = allowed_silence(connect.keep_alive_s);
    append_connack(answers_, admission.session_present, ConnectCode::accepted);
    session_->on_ready();
    return {};
}

base::Status Connection::on_publish(const Frame& frame) {
    MITRAL_TRY(const auto publish, parse_publish(frame));
    // The documentation says the hub closes on QoS 2 (AZURE devguide, "MQTT support").
    if (publish.qos == 2 && !acknowledges_qos2_)
        return fail(CloudError::protocol_violation, "QoS 2 is not supported");
    MITRAL_CHECK(session_->on_publish(publish));
    ++counters_.publishes;
    if (publish.qos > 0)
        acknowledge(publish.packet_id);
    return {};
}

void Connection::acknowledge(std::uint16_t packet_id) {
    const auto delay = session_->acknowledgement_delay();
    if (!delay)
        return;
    if (*delay <= base::Milliseconds(0) && held_.empty()) {
        append_puback(answers_, packet_id);
        return;
    }
    held_.hold(packet_id, *delay);
    // A commit that fails costs the connection, and with it the hold.
    transport().send_after_commit({});
}

void Connection::release(std::uint16_t packet_id) {
    if (roster_.silent())
        return fall_silent();
    base::Bytes answer;
    append_puback(answer, packet_id);
    leave(answer);
}

void Connection::leave(base::Bytes& packets) {
    if (broken_off_)
        return;
    broken_off_ = roster_.distort(packets);
    transport().send_after_commit(packets);
    if (broken_off_)
        close("fault: packet cut short");
}

void Connection::fall_silent() {
    if (!std::exchange(lost_bytes_, true))
        roster_.note_silenced();
}

base::Status Connection::on_subscribe(const Frame& frame) {
    ++counters_.subscribes;
    MITRAL_TRY(const auto subscribe, parse_subscribe(frame.body));
    std::vector<std::uint8_t> granted;
    for (const auto& wanted : subscribe.subscriptions) {
        MITRAL_TRY(const auto qos, session_->on_subscribe(wanted));
        granted.push_back(qos);
    }
    append_suback(answers_, subscribe.packet_id, granted);
    session_->on_ready();
    return {};
}

base::Status Connection::on_unsubscribe(const Frame& frame) {
    MITRAL_TRY(const auto unsubscribe, parse_unsubscribe(frame.body));
    for (const auto filter : unsubscribe.filters)
        session_->on_unsubscribe(filter);
    append_unsuback(answers_, unsubscribe.packet_id);
    session_->on_ready();
    return {};
}

void Connection::refuse(ConnectCode code) {
    ++counters_.refused;
    ++counters_.refused_with[static_cast<std::size_t>(code)];
    append_connack(answers_, false, code);
    finished_ = true;
    transport().close_when_sent("CONNECT refused");
}

void Connection::note_activity() {
    if (!session_ || finished_)
        return;
    auto deadline = transport().clock().monotonic() + silence_allowed_;
    if (expires_)
        deadline = std::min(deadline, *expires_);
    transport().set_deadline(deadline);
}

void Connection::on_deadline() {
    const auto now = transport().clock().monotonic();
    if (roster_.silent())  // a peer that hears nothing cuts nobody off either
        return transport().set_deadline(now + base::Milliseconds(30'000));
    if (!session_)
        return close("no CONNECT in time");
    if (expires_ && now >= *expires_)
        return close("token expired");
    close("keep-alive timed out");
}

void Connection::publish(std::string_view topic, base::ByteView payload) {
    publish_acknowledged(topic, payload, {});
}

void Connection::publish_acknowledged(std::string_view topic, base::ByteView payload,
                                      Delivery delivery) {
    append_publish(answers_, topic, payload, delivery);
    // May stand behind PUBACKs of the same read, so it waits for the commit with them.
    leave(answers_);
    answers_.clear();
}

void Connection::close(std::string_view reason) {
    finished_ = true;
    transport().close_when_sent(reason);
}

net::CertificateChain Connection::certificates() const {
    return transport().certificates();
}

void Connection::drop(std::string_view reason) {
    finished_ = true;
    transport().close(reason);
}

void Connection::on_closed(std::string_view reason) {
    (void)reason;
    finished_ = true;
    end_session(false);
}

void Connection::end_session(bool said_goodbye) {
    if (auto session = std::move(session_))
        session->on_end(said_goodbye);
}

}  // namespace mitral::cloud::mqtt
