// The connections of all monitors: who may come in, who is read when, who is cut off.
//
// One pass of the event loop reads every connection that has something, a bounded piece each, and
// puts the readings into one group; the group is committed once, and then everybody gets their
// acknowledgements. A monitor that sends faster than it may is read later, not less.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "intake/hl7/acceptor.hpp"
#include "intake/hl7/connection.hpp"
#include "intake/hl7/counters.hpp"
#include "intake/hl7/limits.hpp"
#include "intake/hl7/monitors.hpp"
#include "intake/hl7/pace.hpp"
#include "intake/hl7/refused_peers.hpp"
#include "intake/store/deadline_sweep.hpp"
#include "intake/store/group_commit.hpp"
#include "intake/store/reading_store.hpp"
#include "intake/store/spool_upkeep.hpp"
#include "spool/writer.hpp"

namespace mitral::intake::hl7 {

// Not thread-safe; lives on the loop's thread and must outlive its callbacks.
class Server {
  public:
    Server(base::EventLoop& loop, spool::Writer& writer, const base::Clock& clock,
           ServerLimits limits, Monitors& monitors, Interpreter& interpreter);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] base::Status listen(Listener listener);
    // Takes over a connection that was made to a monitor; its events come later.
    [[nodiscard]] base::Status adopt(net::Stream stream, Monitor& monitor, ConnectionEvents events);
    // Writes to a connection that was adopted; nothing when it is gone.
    void send(ConnectionKey key, std::string_view text);

    // Called, at most once a pass, when a counter or the spool's usage may have changed.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
    // Closes every listener and connection after committing what was received, and ends the spool's
    // batches.
    void shut_down();

    [[nodiscard]] Counters counters() const noexcept;
    [[nodiscard]] std::size_t open_connections() const noexcept { return connections_.size(); }

  private:
    void accepted(base::UniqueFd socket, const net::TlsContext* tls);
    // Why there is no place for one more from there; empty: there is.
    [[nodiscard]] std::string_view make_place(const net::Address& address);
    // Who makes way for somebody from there when all places are taken; null: nobody.
    [[nodiscard]] Connection* who_makes_way(const net::Address& address) const;
    [[nodiscard]] base::Result<ConnectionKey> add(std::unique_ptr<Connection> connection);
    void ready(ConnectionKey key, std::uint32_t events);
    void shake_hands(Connection& connection);
    // False when the connection is gone.
    [[nodiscard]] bool identify(Connection& connection);
    void read_piece(Connection& connection);
    [[nodiscard]] std::size_t read_some(Connection& connection, std::size_t at_most);
    void take_frames(Connection& connection);
    void hold_back(Connection& connection, base::Milliseconds wait);
    void after_input(Connection& connection);
    void bound_unfinished(Connection& connection);
    void answer(bool committed);
    // False when the connection is gone.
    bool flush(Connection& connection);
    void update_interest(Connection& connection);
    void watch_deadline(Connection& connection);
    void set_deadline(Connection& connection, base::Milliseconds wait);
    [[nodiscard]] std::optional<base::MonotonicTime> sweep(base::MonotonicTime now);
    void cut_off_late_one(Connection& connection);
    void cut_off(Connection& connection, std::string_view why);
    void close(Connection& connection);
    void tell_change();

    base::EventLoop& loop_;
    spool::Writer& writer_;
    const base::Clock& clock_;
    ServerLimits limits_;
    Monitors& monitors_;
    Interpreter& interpreter_;
    Counters counters_;
    ReadingStore store_;
    GroupCommit group_;
    SpoolUpkeep upkeep_;
    DeadlineSweep deadlines_;
    Paces paces_;
    RefusedPeers refused_;
    std::vector<std::unique_ptr<Acceptor>> acceptors_;
    std::unordered_map<ConnectionKey, std::unique_ptr<Connection>> connections_;
    std::map<net::Address, std::size_t> places_;  // connections of each address
    ConnectionKey next_key_ = 1;
    std::vector<ConnectionKey> unanswered_;  // connections that wait for the group
    std::size_t held_bytes_ = 0;
    std::function<void()> changed_;
};

}  // namespace mitral::intake::hl7
