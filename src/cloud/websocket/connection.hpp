#pragma once

#include <functional>
#include <memory>

#include "cloud/front/link.hpp"
#include "cloud/websocket/reader.hpp"

namespace mitral::cloud::websocket {

using InnerFactory = std::function<std::unique_ptr<front::Protocol>(front::Transport&)>;

// The server side of one WebSocket after its handshake: the bytes of its binary messages are one
// stream for the protocol inside, wherever frames are cut [MQTT-6.0.0-4]; what that sends leaves as
// binary messages. It answers pings and ends with the closing handshake (RFC 6455 §7).
class Connection final : public front::Protocol, public front::Transport {
  public:
    static constexpr std::uint64_t max_message = 1024 * 1024;
    // From the handshake to what the protocol inside takes for its first packet; it sets its own
    // deadline then.
    static constexpr base::Milliseconds first_packet_timeout{30'000};
    // For the peer's part of the closing handshake.
    static constexpr base::Milliseconds farewell_timeout{5'000};

    Connection(front::Link& link, const InnerFactory& make_inner);

    [[nodiscard]] base::Result<std::size_t> on_bytes(base::ByteView input) override;
    void on_writable() override { inner_->on_writable(); }
    void on_deadline() override;
    void on_closed(std::string_view reason) override;

    // For the protocol inside.
    void send(base::ByteView bytes) override;
    void send_after_commit(base::ByteView bytes) override;
    void close(std::string_view reason) override { link_.close(reason); }
    void close_when_sent(std::string_view reason) override;
    [[nodiscard]] bool closing() const noexcept override;
    void vanish() override { link_.vanish(); }
    void note_admitted() noexcept override { link_.note_admitted(); }
    void set_deadline(base::MonotonicTime at) override;
    void clear_deadline() noexcept override;
    [[nodiscard]] net::CertificateChain certificates() const override {
        return link_.certificates();
    }
    [[nodiscard]] bool output_congested() const noexcept override;
    [[nodiscard]] const base::Clock& clock() const noexcept override { return link_.clock(); }
    [[nodiscard]] base::EventLoop& loop() noexcept override { return link_.loop(); }

  private:
    enum class State : std::uint8_t {
        open,
        closing,  // our Close is sent, the peer's is awaited
        deaf,     // nothing that comes is looked at any more
    };

    void handle(Reader::Event event);
    void on_close_frame();
    void deliver();
    void send_close(std::optional<CloseCode> code);
    void begin_closing();
    void fail(const Violation& violation);
    void end_inner(std::string_view reason);

    front::Link& link_;
    Reader reader_{max_message};
    base::Bytes data_;  // what the protocol inside has not taken
    std::string close_reason_;
    State state_ = State::open;
    bool delivering_ = false;
    bool close_due_ = false;  // asked for by the protocol inside while it reads
    bool inner_ended_ = false;
    std::unique_ptr<front::Protocol> inner_;  // last: it may call the above while it is made
};

}  // namespace mitral::cloud::websocket
