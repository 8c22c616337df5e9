// The sockets around the sessions: who is read when, what is committed together, who is cut off.
//
// One pass of the event loop reads every connection that has something, a bounded piece each, and
// puts the readings into one group; then the group is committed once and everybody gets their
// replies. So a commit costs one disk sync for all of them, and a flooding sender takes no more of
// a pass than another.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "intake/lines/counters.hpp"
#include "intake/lines/line_parser.hpp"
#include "intake/lines/session.hpp"
#include "intake/lines/source_owners.hpp"
#include "intake/store/deadline_sweep.hpp"
#include "intake/store/group_commit.hpp"
#include "intake/store/reading_store.hpp"
#include "intake/store/refusal.hpp"
#include "intake/store/spool_upkeep.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

struct ServerLimits {
    std::size_t connections = 64;            // one user: places_per_user()
    std::size_t piece_bytes = 64 * 1024;     // read from a connection in one pass
    std::size_t unread_replies = 64 * 1024;  // a sender that leaves more of them is cut off
    GroupCommit::Limits group;
    base::Milliseconds header_wait{10'000};  // from connecting to a complete first line
    base::Milliseconds line_wait{30'000};    // from a line's first byte to its end
    base::Milliseconds flush_wait{10'000};   // for the last replies of a closing connection
};

// Not thread-safe; lives on the loop's thread and must outlive its callbacks.
class Server {
  public:
    // The user at the other end of a connected socket.
    using PeerUser = std::function<base::Result<uid_t>(int socket)>;

    Server(base::EventLoop& loop, spool::Writer& writer, const base::Clock& clock,
           ServerLimits limits, PeerUser peer_user = peer_user_of_kernel);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] base::Status listen(base::UniqueFd listener);
    // One conversation over a pair of descriptors (standard input and output); `done` is called
    // when its input has ended and everything is answered.
    [[nodiscard]] base::Status serve(base::UniqueFd input, base::UniqueFd output,
                                     std::function<void()> done);
    // Called, at most once a pass, when a counter or the spool's usage may have changed.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }
    // Closes the listener and every connection after committing what was received, and ends the
    // spool's batches.
    void shut_down();

    [[nodiscard]] Counters counters() const noexcept;
    [[nodiscard]] std::size_t open_connections() const noexcept { return connections_.size(); }

  private:
    struct Connection;
    using Key = std::uint64_t;

    [[nodiscard]] static base::Result<uid_t> peer_user_of_kernel(int socket);
    void accept_one();
    // Makes a place where there is none; a refusal when the user may not have one.
    [[nodiscard]] Acceptance make_place(uid_t user);
    [[nodiscard]] base::Status add(std::unique_ptr<Connection> connection);
    void ready(Key key, std::uint32_t events);
    void read_piece(Connection& connection);
    void watch_deadline(Connection& connection, std::uint64_t lines_before);
    void answer(bool committed);
    void tell_change();
    // False when the connection is gone.
    bool flush(Connection& connection);
    void update_interest(Connection& connection);
    void drop(Connection& connection, const char* why);
    void set_deadline(Connection& connection, base::Milliseconds wait);
    [[nodiscard]] std::optional<base::MonotonicTime> sweep(base::MonotonicTime now);

    base::EventLoop& loop_;
    spool::Writer& writer_;
    const base::Clock& clock_;
    ServerLimits limits_;
    PeerUser peer_user_;
    Counters counters_;
    ReadingStore store_;
    GroupCommit group_;
    SpoolUpkeep upkeep_;
    DeadlineSweep deadlines_;
    SourceOwners owners_;
    LineParser parser_;
    base::UniqueFd listener_;
    std::unordered_map<Key, std::unique_ptr<Connection>> connections_;
    Key next_key_ = 1;
    std::vector<Key> unsettled_;  // connections that wait for the group
    std::function<void()> changed_;
};

}  // namespace mitral::intake
