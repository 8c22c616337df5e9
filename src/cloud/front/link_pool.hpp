// All connections of the process and the end of each loop pass: one commit of the message log, then
// the answers of that pass. So no acknowledgement leaves before what it acknowledges is written,
// and all acknowledgements of one pass to one client leave in one write.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "cloud/front/link.hpp"

namespace mitral::cloud::front {

struct PoolLimits {
    std::size_t links = 16'000;
    std::size_t reserve = 64;  // beyond `links`: the port of this machine stays within reach
    // Connections that have not shown who they are. Beyond that, and when all links are used up,
    // the oldest of them make room: a storm of strangers does not keep devices out.
    std::size_t strangers = 4'000;
    std::size_t buffered_bytes =
        512 * 1024 * 1024;  // input and output queues of all links together
    base::Milliseconds first_request_timeout{30'000};  // TLS handshake included
    // Under way at once: each holds 30 KB that an idle link does not, and in a storm of reconnects
    // those that began first should end first. When none of them ends for so long, others go ahead.
    std::size_t handshakes = 512;
    base::Milliseconds handshake_patience{2'000};
};

class Listener;

// Where a connection comes from.
struct Origin {
    Lag* lag = nullptr;     // may be null; else it outlives the connection
    bool is_local = false;  // no stranger
    const Listener* port = nullptr;
};

class LinkPool {
  public:
    using Commit = std::function<base::Status()>;

    LinkPool(base::EventLoop& loop, const base::Clock& clock, PoolLimits limits);
    LinkPool(const LinkPool&) = delete;
    LinkPool& operator=(const LinkPool&) = delete;
    ~LinkPool();

    // Runs at the end of a pass in which something was sent. When it fails, the links that wait for
    // it are closed and their acknowledgements never leave.
    void set_commit(Commit commit) { commit_ = std::move(commit); }

    [[nodiscard]] bool full(bool is_local = false) const noexcept {
        return links_.size() + vanished_.size() >= limits_.links + (is_local ? limits_.reserve : 0);
    }
    // Asks the oldest strangers, so many at most, to go; they are gone at the end of this pass.
    void make_room(std::size_t wanted);
    [[nodiscard]] std::size_t strangers() const noexcept { return strangers_.size(); }
    // Strangers that had to go since the start.
    [[nodiscard]] std::uint64_t displaced() const noexcept { return displaced_; }
    [[nodiscard]] bool handshakes_full() const noexcept {
        return handshakes_ >= limits_.handshakes;
    }
    [[nodiscard]] base::Milliseconds handshake_patience() const noexcept {
        return limits_.handshake_patience;
    }
    [[nodiscard]] std::uint64_t handshakes_done() const noexcept { return handshakes_done_; }
    [[nodiscard]] std::size_t size() const noexcept { return links_.size(); }
    [[nodiscard]] std::size_t buffered_bytes() const noexcept { return buffered_; }
    // Precondition: !full(origin.is_local).
    void adopt(net::Stream stream, const ProtocolFactory& make_protocol, const Origin& origin = {});
    // The connections that came in by this port; how many they are. None of them ends within.
    std::size_t each_of(const Listener& port, const std::function<void(Link&)>& action);
    // Closes what vanished, for all to see.
    void bury();

    [[nodiscard]] base::EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] const base::Clock& clock() const noexcept { return clock_; }

  private:
    friend class Link;

    void note_handshake_done() noexcept;
    void mark_dirty(Link& link);
    void schedule_end_of_pass();
    void end_of_pass();
    void read_again(Link& link);
    [[nodiscard]] base::Status commit();
    void settle(Link& link, const base::Status& committed);
    [[nodiscard]] bool account(std::size_t before, std::size_t now) noexcept;
    [[nodiscard]] base::MutableByteView scratch() noexcept { return scratch_; }

    base::EventLoop& loop_;
    const base::Clock& clock_;
    PoolLimits limits_;
    Commit commit_;
    std::set<std::uint64_t> strangers_;  // ids grow: the oldest stands first
    std::uint64_t displaced_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<Link>> links_;
    std::vector<net::Stream> vanished_;
    std::vector<std::uint64_t> dirty_;
    std::vector<std::uint64_t> read_again_;
    base::Bytes scratch_;  // shared read buffer: an idle link holds none
    std::size_t buffered_ = 0;
    std::size_t handshakes_ = 0;  // under way
    std::uint64_t handshakes_done_ = 0;
    std::uint64_t next_id_ = 1;
    bool end_scheduled_ = false;
    base::EventLoop::TimerId end_timer_{};
};

}  // namespace mitral::cloud::front
