// The library's protocol engine for one connection: bytes in, bytes out, and links with what stands
// behind them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "cloud/amqp/attachment.hpp"
#include "cloud/amqp/connection.hpp"
#include "cloud/amqp/frame_guard.hpp"
#include "cloud/amqp/sasl.hpp"

struct pn_collector_t;
struct pn_connection_t;
struct pn_delivery_t;
struct pn_event_t;
struct pn_link_t;
struct pn_session_t;
struct pn_transport_t;

namespace mitral::cloud::amqp {

class Engine {
  public:
    // The references outlive the engine.
    Engine(Peer& peer, Nodes& nodes, const ConnectionLimits& limits);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    Sasl& sasl() noexcept { return sasl_; }

    // Takes bytes of the peer and acts on them; how many it took: all of them, or fewer once
    // finished(). Fails with malformed_packet when it is stuck.
    [[nodiscard]] base::Result<std::size_t> take(base::ByteView input);
    // Lets every attachment send; true when one wants to be asked again soon.
    [[nodiscard]] bool pump();
    // Ends the links that the peer's claims cover no longer.
    void end_lapsed();
    // What waits to be sent, and that it was.
    [[nodiscard]] base::ByteView output();
    void sent(std::size_t bytes);
    // Heartbeats and the peer's silence; yields when to call again.
    [[nodiscard]] std::optional<base::MonotonicTime> tick(base::MonotonicTime now);
    // Tells the peer why, and ends the connection. Nothing that the peer says is heard any more.
    void close(const Refusal& why);
    // Nothing more will come or go once output() is empty.
    [[nodiscard]] bool finished() const;
    [[nodiscard]] bool refused_protocol() const noexcept { return guard_.refused_protocol(); }
    // The connection is gone: what stands behind its links is told so.
    void forget_links() { entries_.clear(); }
    [[nodiscard]] std::string failure() const;  // for the log; empty without one

  private:
    struct Entry {
        std::unique_ptr<Attachment> attachment;
        std::string address{};
        std::string incoming{};  // of a message that has not come whole
    };

    void handle_events();
    void handle(pn_event_t* event);
    void on_connection_open();
    void on_link_open(pn_link_t* link);
    void on_link_close(pn_link_t* link);
    void on_session_open(pn_session_t* session);
    void on_session_close(pn_session_t* session);
    void on_delivery(pn_event_t* event);
    void on_outcome(pn_link_t* link, pn_delivery_t* delivery);
    void receive(pn_link_t* link, Entry& entry);
    void drop_unwanted(pn_link_t* link);
    void finish_message(pn_link_t* link, Entry& entry);
    void refuse(pn_link_t* link, const Refusal& why);

    Peer& peer_;
    Nodes& nodes_;
    const ConnectionLimits& limits_;
    Sasl sasl_;
    FrameGuard guard_;
    pn_connection_t* connection_;
    pn_transport_t* transport_;
    pn_collector_t* collector_;
    std::unordered_map<pn_link_t*, Entry> entries_;
    std::size_t links_ = 0;  // that exist in the library, closed ones included
    std::size_t sessions_ = 0;
    std::size_t unwanted_ = 0;  // transfers on links that take none
    bool deaf_ = false;         // since close()
};

}  // namespace mitral::cloud::amqp
