// A connection in the event loop: bounded buffers, deadlines, and output that leaves at the end of
// the loop's pass. Single-threaded, as the loop is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "net/stream.hpp"

namespace mitral::cloud::front {

class Link;
class LinkPool;

// What the bytes of one connection mean. Callbacks may call any function of their Link; the Link
// outlives them.
class Protocol {
  public:
    virtual ~Protocol() = default;
    // All input that was not taken before; returns how many bytes it takes from the front. An error
    // closes the connection.
    [[nodiscard]] virtual base::Result<std::size_t> on_bytes(base::ByteView input) = 0;
    // The output queue has room again.
    virtual void on_writable() {}
    // The deadline set with Link::set_deadline has passed; the default closes.
    virtual void on_deadline();
    // Last call. The bytes that still wait in the output queue are lost.
    virtual void on_closed(std::string_view reason) { (void)reason; }

  protected:
    explicit Protocol(Link& link) noexcept : link_(link) {}
    [[nodiscard]] Link& link() noexcept { return link_; }

  private:
    Link& link_;
};

using ProtocolFactory = std::function<std::unique_ptr<Protocol>(Link&)>;

class Link {
  public:
    static constexpr std::size_t output_low_water = 64 * 1024;
    static constexpr std::size_t output_limit = 4 * 1024 * 1024;

    Link(LinkPool& pool, std::uint64_t id, net::Stream stream,
         const ProtocolFactory& make_protocol);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link();

    // Queues bytes for the end of this pass. A peer that lets the queue grow beyond output_limit is
    // disconnected.
    void send(base::ByteView bytes);
    // The same for an acknowledgement: it leaves only after the pool's commit of this pass
    // succeeded.
    void send_after_commit(base::ByteView bytes);

    // Closes at the end of this pass, without waiting for a slow reader.
    void close(std::string_view reason);
    // Writes what is queued first, for a few seconds at most; nothing more is read.
    void close_when_sent(std::string_view reason);
    [[nodiscard]] bool closing() const noexcept { return closing_; }

    void set_deadline(base::MonotonicTime at);
    void clear_deadline() noexcept { deadline_.reset(); }

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
    [[nodiscard]] std::size_t queued() const noexcept { return output_.size() - sent_; }
    [[nodiscard]] bool output_congested() const noexcept { return queued() > output_low_water; }
    [[nodiscard]] const base::Clock& clock() const noexcept;
    [[nodiscard]] base::EventLoop& loop() noexcept;

  private:
    friend class LinkPool;

    void start();
    void on_ready(std::uint32_t ready);
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
    std::unique_ptr<Protocol> protocol_;
    base::Bytes input_;
    base::Bytes output_;
    std::size_t sent_ = 0;
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
    std::string close_reason_;
};

}  // namespace mitral::cloud::front
