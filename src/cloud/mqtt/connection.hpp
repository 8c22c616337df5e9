#pragma once

#include <array>

#include "cloud/front/transport.hpp"
#include "cloud/mqtt/held_acknowledgements.hpp"
#include "cloud/mqtt/roster.hpp"
#include "cloud/mqtt/service.hpp"

namespace mitral::cloud::mqtt {

struct ConnectionCounters {
    std::uint64_t connects = 0;
    std::uint64_t refused = 0;
    std::array<std::uint64_t, 6> refused_with{};  // by ConnectCode
    std::uint64_t publishes = 0;
    std::uint64_t subscribes = 0;
    std::uint64_t violations = 0;
};

// The server side of one MQTT 3.1.1 connection: packet order, keep-alive, acknowledgements.
class Connection final : public front::Protocol, public Channel {
  public:
    // Body and properties of a message may reach 256 KiB, its topic 64 KiB.
    static constexpr std::size_t max_packet = 256 * 1024 + 64 * 1024 + 16;
    static constexpr std::size_t max_connect_packet = 16 * 1024;

    // All references outlive the connection.
    Connection(front::Transport& transport, Service& service, Roster& roster,
               ConnectionCounters& counters);
    ~Connection() override;

    [[nodiscard]] base::Result<std::size_t> on_bytes(base::ByteView input) override;
    void on_deadline() override;
    void on_closed(std::string_view reason) override;

    void publish(std::string_view topic, base::ByteView payload) override;
    void publish_acknowledged(std::string_view topic, base::ByteView payload,
                              Delivery delivery) override;
    void close(std::string_view reason) override;
    [[nodiscard]] net::CertificateChain certificates() const override;
    void drop(std::string_view reason);  // without sending what is queued
    void vanish() { transport().vanish(); }
    // The device that was admitted, without its module; empty before that.
    [[nodiscard]] std::string_view device() const noexcept { return device_; }

    // Something was thrown away while the hub was silent.
    [[nodiscard]] bool lost_bytes() const noexcept { return lost_bytes_; }

  private:
    void fall_silent();
    void leave(base::Bytes& packets);
    void acknowledge(std::uint16_t packet_id);
    void release(std::uint16_t packet_id);
    [[nodiscard]] base::Status handle(const Frame& frame);
    [[nodiscard]] base::Status on_connect(const Frame& frame);
    [[nodiscard]] base::Status on_publish(const Frame& frame);
    [[nodiscard]] base::Status on_subscribe(const Frame& frame);
    [[nodiscard]] base::Status on_unsubscribe(const Frame& frame);
    void refuse(ConnectCode code);
    void note_activity();
    void end_session(bool said_goodbye);

    Service& service_;
    Roster& roster_;
    ConnectionCounters& counters_;
    std::unique_ptr<Session> session_;
    std::string device_;
    base::Milliseconds silence_allowed_{0};
    bool acknowledges_qos2_ = false;
    std::optional<base::MonotonicTime> expires_;
    base::Bytes answers_;  // of one on_bytes call; kept for its capacity only while it is short
    HeldAcknowledgements held_;
    bool finished_ = false;
    bool lost_bytes_ = false;
    bool broken_off_ = false;  // in the middle of a packet: nothing can follow
};

}  // namespace mitral::cloud::mqtt
