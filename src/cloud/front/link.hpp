// A connection in the event loop: bounded buffers, deadlines, and output that leaves at the end of
// the loop's pass. Single-threaded, as the loop is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/front/delay_line.hpp"
#include "cloud/front/transport.hpp"
#include "net/stream.hpp"

namespace mitral::cloud::front {

class Link;
class LinkPool;
class Listener;
struct Origin;

using ProtocolFactory = std::function<std::unique_ptr<Protocol>(Link&)>;

class Link final : public Transport {
  public:
    static constexpr std::size_t output_low_water = 64 * 1024;
    static constexpr std::size_t output_limit = 4 * 1024 * 1024;

    Link(LinkPool& pool, std::uint64_t id, net::Stream stream, const ProtocolFactory& make_protocol,
         const Origin& origin);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() override;

    void send(base::ByteView bytes) override;
    void send_after_commit(base::ByteView bytes) override;
    void close(std::string_view reason) override;
    void close_when_sent(std::string_view reason) override;
    [[nodiscard]] bool closing() const noexcept override { return closing_; }
    // Nothing is read or written any more, and when the link is closed its socket stays: the client
    // meets a peer that is gone without FIN or RST, until LinkPool::bury().
    void vanish() override;
    void note_admitted() noexcept override;
    void set_deadline(base::MonotonicTime at) override;
    void clear_deadline() noexcept override { deadline_.reset(); }

    // From within on_bytes: `next` takes the place of the protocol once that returns, and gets what
    // it left. The one replaced hears nothing more.
    void hand_over(std::unique_ptr<Protocol> next) { next_protocol_ = std::move(next); }
    // Memory that the protocol keeps beside the buffers here: it counts against the pool's limit.
    void note_kept(std::size_t bytes) noexcept;

    [[nodiscard]] net::CertificateChain certificates() const override {
        return stream_.peer_chain();
    }
    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    // Output that has not left, whether it may leave already or not.
    [[nodiscard]] std::size_t queued() const noexcept { return sendable() + late_output_.size(); }
    [[nodiscard]] bool output_congested() const noexcept override {
        return queued() > output_low_water;
    }
    [[nodiscard]] const base::Clock& clock() const noexcept override;
    [[nodiscard]] base::EventLoop& loop() noexcept override;

  private:
    friend class LinkPool;

    void start();
    void on_ready(std::uint32_t ready);
    [[nodiscard]] std::size_t sendable() const noexcept { return output_.size() - sent_; }
    void enqueue(base::ByteView bytes);
    void take_late(base::ByteView received);
    void client_closed();
    void come_to_light();
    [[nodiscard]] bool reads() const noexcept;
    void continue_handshake();
    void read_some();
    void take_input(base::ByteView received);
    void keep_rest(base::ByteView rest);
    void flush();
    void note_congestion();
    void update_interest();
    void arm_timer(base::MonotonicTime at);
    void on_timer();
    void account() noexcept;

    LinkPool& pool_;
    std::uint64_t id_;
    net::Stream stream_;
    base::Bytes input_;
    base::Bytes output_;
    std::size_t sent_ = 0;
    std::size_t kept_ = 0;
    DelayLine late_input_;
    DelayLine late_output_;
    Lag* lag_;
    const Listener* port_;
    std::unique_ptr<Protocol> protocol_;
    std::unique_ptr<Protocol> next_protocol_;
    std::size_t accounted_ = 0;
    std::optional<base::MonotonicTime> deadline_;
    std::optional<base::MonotonicTime> timer_at_;
    base::EventLoop::TimerId timer_{};
    std::uint32_t interest_ = 0;
    bool handshaken_ = false;
    bool handshake_wants_write_ = false;
    bool needs_commit_ = false;
    bool dirty_ = false;
    bool was_congested_ = false;
    bool close_when_sent_ = false;
    bool closing_ = false;
    bool vanished_ = false;
    std::string close_reason_;
};

}  // namespace mitral::cloud::front
