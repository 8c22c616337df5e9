// The server side of one AMQP 1.0 connection over a front::Transport. The protocol itself is the
// library's; here are the bounds, the claims and what stands behind each link.
#pragma once

#include <memory>

#include "cloud/amqp/attachment.hpp"
#include "cloud/amqp/claims.hpp"
#include "cloud/front/transport.hpp"

namespace mitral::cloud::amqp {

class Engine;

struct ConnectionLimits {
    std::size_t links = 64;  // at once
    std::size_t links_before_claim = 8;
    std::uint16_t sessions = 32;  // each may hold eight frames
    std::uint16_t sessions_before_claim = 8;
    std::uint32_t frame_bytes = 64 * 1024;
    // Of a performative without payload. The library makes up to 137 bytes of one.
    std::size_t performative_bytes = 4 * 1024;
    std::size_t performative_before_claim = 1536;
    int refused_tokens = 10;
    std::size_t message_bytes = 64 * 1024 + 16 * 1024;  // of an incoming message
    int credit = 32;
    base::Milliseconds claim_timeout{60'000};  // from accept to the first token that was taken
    base::Milliseconds idle_timeout{240'000};  // silence of the peer
    base::Seconds expiry_grace{300};           // a link outlives its token by this
};

// What a node behind a link may ask of the connection.
class Peer {
  public:
    virtual ~Peer() = default;
    [[nodiscard]] virtual Claims& claims() = 0;
    // Fails with not_authorised; the claim stands on success.
    [[nodiscard]] virtual base::Status put_token(std::string_view token) = 0;
    // Calls the attachments' pump() at the end of this turn, or soon when none is under way.
    virtual void wake() = 0;
    // The same from the loop, after this time at the latest.
    virtual void wake_after(base::Milliseconds delay) = 0;
    // The peer does not read what it is sent: producing more only fills memory.
    [[nodiscard]] virtual bool congested() = 0;
};

// Decides what a link leads to.
class Nodes {
  public:
    virtual ~Nodes() = default;
    // The claims of the peer were checked when this yields an attachment.
    [[nodiscard]] virtual Attached attach(Peer& peer, LinkEnd& end) = 0;
    // Do the claims cover what was attached here? They may have lapsed since.
    [[nodiscard]] virtual bool may_stay(Peer& peer, const std::string& address) = 0;
};

class Connection final : public front::Protocol, public Peer {
  public:
    // The references outlive the connection. `nodes` is this connection's own.
    Connection(front::Transport& below, std::unique_ptr<Nodes> nodes, const ClaimJudge& judge,
               ConnectionLimits limits);
    ~Connection() override;

    [[nodiscard]] base::Result<std::size_t> on_bytes(base::ByteView input) override;
    void on_writable() override;
    void on_deadline() override;
    void on_closed(std::string_view reason) override;

    [[nodiscard]] Claims& claims() override { return claims_; }
    [[nodiscard]] base::Status put_token(std::string_view token) override;
    void wake() override;
    void wake_after(base::Milliseconds delay) override;
    [[nodiscard]] bool congested() override { return transport().output_congested(); }

  private:
    [[nodiscard]] bool admit_plain(std::string_view user, std::string_view password);
    void turn();
    void end(std::string_view reason);
    [[nodiscard]] bool drain();
    void forget_timer();
    void set_next_deadline();
    [[nodiscard]] std::optional<base::MonotonicTime> claims_end();

    const ClaimJudge& judge_;
    ConnectionLimits limits_;
    Claims claims_;
    base::MonotonicTime claim_due_;
    std::unique_ptr<Nodes> nodes_;
    std::unique_ptr<Engine> engine_;
    bool in_turn_ = false;
    bool ending_ = false;
    int refused_tokens_ = 0;
    std::optional<base::MonotonicTime> turn_at_;
    base::EventLoop::TimerId turn_timer_{};
};

}  // namespace mitral::cloud::amqp
