// What the MQTT server asks of the services behind it. It knows packets; IoT Hub and DPS know what
// they mean.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "cloud/mqtt/packet.hpp"
#include "net/tls.hpp"

namespace mitral::cloud::mqtt {

// The way back to one connected client.
class Channel {
  public:
    virtual ~Channel() = default;
    virtual void publish(std::string_view topic, base::ByteView payload) = 0;  // QoS 0
    // QoS 1; Session::on_acknowledged tells when it arrived. `delivery.packet_id` is not 0.
    virtual void publish_acknowledged(std::string_view topic, base::ByteView payload,
                                      Delivery delivery) = 0;
    virtual void close(std::string_view reason) = 0;
    // What the client showed in its TLS handshake; nobody has judged it.
    [[nodiscard]] virtual net::CertificateChain certificates() const { return {}; }
};

inline constexpr std::uint8_t refused_filter = 0x80;  // [MQTT-3.9.3-2]

// One connected client. Errors close the connection: MQTT 3.1.1 has no other way to refuse.
class Session {
  public:
    virtual ~Session() = default;
    // Success means: acknowledge once the pass's commit succeeded.
    [[nodiscard]] virtual base::Status on_publish(const Publish& publish) = 0;
    // How long the acknowledgement of the message just taken is held back; none: for ever.
    [[nodiscard]] virtual std::optional<base::Milliseconds> acknowledgement_delay() const {
        return base::Milliseconds(0);
    }
    // The granted QoS, or refused_filter.
    [[nodiscard]] virtual base::Result<std::uint8_t> on_subscribe(const Subscription& wanted) = 0;
    virtual void on_unsubscribe(std::string_view filter) = 0;
    // A CONNACK, SUBACK or UNSUBACK is queued: messages may follow it.
    virtual void on_ready() {}
    virtual void on_acknowledged(std::uint16_t packet_id) { (void)packet_id; }
    // The client is gone; `said_goodbye` when it sent DISCONNECT (its will must not be sent).
    virtual void on_end(bool said_goodbye) = 0;
};

struct Admission {
    ConnectCode code = ConnectCode::not_authorised;
    bool session_present = false;
    std::unique_ptr<Session> session{};            // set when accepted
    std::optional<base::MonotonicTime> expires{};  // when the connection must end
    bool acknowledges_qos2 = false;                // with a PUBACK; else QoS 2 is a violation
};

class Service {
  public:
    virtual ~Service() = default;
    // `channel` outlives the session. The views of `connect` live for this call only.
    [[nodiscard]] virtual Admission admit(const Connect& connect, Channel& channel) = 0;
};

}  // namespace mitral::cloud::mqtt
