// One device of the load on a hub: TLS, CONNECT, PUBLISH with QoS 1. Knows nothing of src/cloud.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "net/stream.hpp"

namespace mitral::bench {

// What all devices share; outlives them.
struct HubSide {
    base::EventLoop& loop;
    net::TlsContext tls;
    std::string name;  // of the hub, in its certificate
    std::uint16_t port = 0;
    std::string payload;
    std::uint32_t window = 1;  // messages without PUBACK of one device
};

struct Credentials {
    std::string device;
    std::string username;
    std::string password;
};

class Device {
  public:
    enum class Event : std::uint8_t { connected, refused, lost, acknowledged };
    // `count`: the code of CONNACK for refused, messages for acknowledged. Do not end the device in
    // it.
    using Listener = std::function<void(Event, std::uint32_t count)>;

    Device(const HubSide& hub, Credentials credentials, Listener listener);
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;
    ~Device() { vanish(); }

    void connect();
    // Without a goodbye, as when power or network go.
    void vanish();
    void publish(std::uint32_t count);
    [[nodiscard]] bool connected() const noexcept { return ready_; }

  private:
    void on_ready(std::uint32_t ready);
    [[nodiscard]] base::Status advance();
    [[nodiscard]] base::Status begin_tls();
    [[nodiscard]] base::Status read_answers();
    [[nodiscard]] base::Status take_answer();
    [[nodiscard]] base::Status write_some();
    void fill_output();
    void queue_connect();
    void lose();

    const HubSide& hub_;
    Credentials credentials_;
    Listener listener_;
    base::Bytes publish_;  // one packet
    std::size_t packet_id_at_ = 0;
    base::UniqueFd connecting_;
    std::optional<net::TlsStream> stream_;
    bool handshaken_ = false;
    bool ready_ = false;
    base::Bytes output_;
    std::size_t sent_ = 0;
    std::array<std::uint8_t, 4> answer_{};  // all that a hub says here has four bytes
    std::size_t answer_size_ = 0;
    std::uint32_t to_send_ = 0;
    std::uint32_t in_flight_ = 0;
    std::uint32_t acknowledged_ = 0;  // not told yet
    std::uint16_t packet_id_ = 0;
    std::uint32_t interest_ = 0;
};

}  // namespace mitral::bench
