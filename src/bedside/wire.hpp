// One connection of a monitor in the event loop: dialled or accepted, plain or TLS; writes that are
// spaced in time, frames that come back. Single-threaded, as the loop is.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "bedside/answer.hpp"
#include "bedside/mischief.hpp"
#include "net/connect.hpp"
#include "net/tls.hpp"

namespace mitral::bedside {

// Numeric addresses only. `from` is an address or empty. The connection is under way when it comes
// back.
[[nodiscard]] base::Result<base::UniqueFd> dial(const net::Endpoint& to, const std::string& from);

class Wire {
  public:
    // Called from the loop, never from within send(). `on_lost` comes at most once and last; the
    // owner may destroy the wire in it.
    struct Events {
        std::function<void()> on_open;  // connected, and TLS is up
        std::function<void(const Answer&)> on_answer;
        std::function<void(const std::string& why)> on_lost;
        std::function<void()> on_idle;  // everything given to send() has left, pauses included
    };

    // `tls` is null for plain TCP and outlives the wire; `server`: this side accepted.
    Wire(base::EventLoop& loop, base::UniqueFd socket, const net::TlsContext* tls,
         const std::string& server_name, bool server, Events events);
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire();

    [[nodiscard]] base::Status start();
    void send(std::vector<Step> steps);
    [[nodiscard]] bool idle() const noexcept { return steps_.empty(); }
    [[nodiscard]] bool open() const noexcept { return state_ == State::open; }
    [[nodiscard]] bool was_open() const noexcept { return opened_; }

  private:
    enum class State : std::uint8_t { connecting, shaking_hands, open, lost };

    void on_ready(std::uint32_t ready);
    void finish_connecting();
    void shake_hands();
    void open_up();
    void read_some();
    void write_some();
    [[nodiscard]] bool write_at_once();
    [[nodiscard]] bool finish_step();
    void want(std::uint32_t interest);
    void lose(const std::string& why);
    [[nodiscard]] base::Result<net::IoOutcome> read(base::MutableByteView into);
    [[nodiscard]] base::Result<net::IoOutcome> write(base::ByteView from);
    [[nodiscard]] int fd() const noexcept { return stream_ ? stream_->fd() : socket_.get(); }

    base::EventLoop& loop_;
    base::UniqueFd socket_;
    const net::TlsContext* tls_;
    std::string server_name_;
    bool server_;
    Events events_;
    std::optional<net::TlsStream> stream_;
    State state_ = State::connecting;
    bool opened_ = false;
    std::uint32_t interest_ = 0;
    FrameReader frames_;
    std::deque<Step> steps_;
    std::size_t written_ = 0;  // of the first step
    std::optional<base::EventLoop::TimerId> pause_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mitral::bedside
