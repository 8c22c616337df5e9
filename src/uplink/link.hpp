// One connection to the hub: TLS stream and MQTT session on the event loop. Not thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "net/tls.hpp"
#include "uplink/session.hpp"

namespace mitral::uplink {

struct Credentials {
    std::string client_id;
    std::string username;
    base::Secret token;
};

class Link {
  public:
    struct Handlers {
        std::function<void()> up;  // CONNACK 0
        std::function<void(const std::vector<Acknowledged>&)> acknowledged;
        // Room in the window and in the buffer: the moment to publish.
        std::function<void()> writable;
        std::function<void(const base::Error&)> down;  // once; then only destruction is left
    };
    struct Options {
        SessionOptions session;
        base::Milliseconds handshake_timeout{10'000};
    };

    Link(base::EventLoop& loop, const base::Clock& clock, net::TlsStream stream,
         Credentials credentials, Options options, Handlers handlers);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link();

    [[nodiscard]] base::Status start();

    // The session takes a message and the write buffer is below its bound.
    [[nodiscard]] bool may_publish() const noexcept;
    [[nodiscard]] base::Status publish(Tag tag, Topic topic, base::ByteView payload);
    // Lets the writable handler publish and writes it out, until the socket or the window is full.
    void drive();
    // Says DISCONNECT as far as the socket takes it; close() follows.
    void disconnect();
    void close() noexcept;

    [[nodiscard]] const Session& session() const noexcept { return session_; }
    [[nodiscard]] std::string tls_version() const { return stream_.version(); }
    [[nodiscard]] std::string tls_cipher() const { return stream_.cipher(); }

  private:
    void on_ready();
    void flush();
    [[nodiscard]] base::Status advance_handshake();
    [[nodiscard]] base::Status read_all();
    [[nodiscard]] base::Status write_all();
    void on_timer();
    void arm_timer();
    void update_interest();
    void let_answers_gather();
    void fail(const base::Error& error);

    base::EventLoop& loop_;
    const base::Clock& clock_;
    net::TlsStream stream_;
    Credentials credentials_;
    Options options_;
    Handlers handlers_;
    Session session_;
    base::MonotonicTime started_;
    std::optional<base::EventLoop::TimerId> timer_;
    std::optional<base::MonotonicTime> timer_due_;
    std::vector<Acknowledged> acknowledged_;
    base::Bytes inbound_;
    std::optional<base::EventLoop::TimerId> pause_;  // set: answers gather, unread
    std::uint32_t interest_ = base::EventLoop::readable | base::EventLoop::writable;
    bool secured_ = false;
    bool open_ = true;
    bool wants_write_ = false;
};

}  // namespace mitral::uplink
