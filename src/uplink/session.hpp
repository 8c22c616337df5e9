// One MQTT 3.1.1 session of a publish-only client as a state machine without I/O: bytes in, bytes
// out, time from a Clock. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "uplink/in_flight.hpp"
#include "uplink/mqtt_decode.hpp"
#include "uplink/mqtt_encode.hpp"

namespace mitral::uplink {

struct SessionOptions {
    std::uint16_t window = 100;                      // messages that may wait for their PUBACK
    base::Seconds keep_alive{60};                    // the longest silence of ours
    base::Milliseconds connect_timeout{20'000};      // CONNECT … CONNACK
    base::Milliseconds ping_timeout{20'000};         // PINGREQ … PINGRESP
    base::Milliseconds acknowledge_timeout{60'000};  // PUBLISH … PUBACK
};

struct Acknowledged {
    Tag tag;
    base::MonotonicTime sent;
};

// What a CONNACK return code means and what to do about it.
struct Refusal {
    std::uint8_t code = 0;
    std::string_view cause;
    std::string_view remedy;
};
[[nodiscard]] Refusal explain_refusal(std::uint8_t return_code) noexcept;

class Session {
  public:
    enum class State : std::uint8_t { idle, connecting, up, disconnected, failed };

    Session(SessionOptions options, const base::Clock& clock);

    // Queues CONNECT. Once per object.
    [[nodiscard]] base::Status start(std::string_view client_id, std::string_view username,
                                     base::ByteView password);
    // Bytes from the hub; what they acknowledge is appended. Fails with protocol_violation (see
    // violation()) or refused_by_hub (see return_code()); then only destruction is left.
    [[nodiscard]] base::Status receive(base::ByteView data,
                                       std::vector<Acknowledged>& acknowledged);
    // Keep-alive and timeouts; call when next_deadline() is due. Fails with no_answer.
    [[nodiscard]] base::Status tick();
    [[nodiscard]] std::optional<base::MonotonicTime> next_deadline() const;

    // Up, and the window has room.
    [[nodiscard]] bool may_publish() const noexcept;
    // Precondition: may_publish().
    [[nodiscard]] base::Status publish(Tag tag, Topic topic, base::ByteView payload);
    // Queues DISCONNECT; nothing may be published afterwards. Acknowledgements still count.
    void disconnect();

    // Bytes for the hub, in order; call consumed() with how many of them were written. The part
    // that holds the token is wiped as soon as it is out.
    [[nodiscard]] base::ByteView output() const noexcept;
    void consumed(std::size_t count) noexcept;

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::uint16_t in_flight() const noexcept { return in_flight_.count(); }
    [[nodiscard]] std::optional<Violation> violation() const noexcept { return violation_; }
    [[nodiscard]] std::optional<std::uint8_t> return_code() const noexcept { return return_code_; }

  private:
    [[nodiscard]] base::Status handle(const Inbound& packet,
                                      std::vector<Acknowledged>& acknowledged);
    [[nodiscard]] base::Status handle_connack(const Inbound& packet);
    [[nodiscard]] base::Status violate(Violation violation);
    [[nodiscard]] base::Status give_up(std::string_view what);

    SessionOptions options_;
    const base::Clock& clock_;
    Decoder decoder_;
    InFlight in_flight_;
    State state_ = State::idle;
    base::Secret connect_;  // goes out first
    base::Bytes out_;
    std::size_t written_ = 0;  // of connect_ while it lasts, then of out_
    base::MonotonicTime started_;
    base::MonotonicTime last_sent_;
    std::optional<base::MonotonicTime> ping_sent_;
    std::optional<Violation> violation_;
    std::optional<std::uint8_t> return_code_;
};

}  // namespace mitral::uplink
