// The uplink: keeps one connection to the assigned hub, publishes what the spools hold, renews the
// token in time, and comes back with patience. Not thread-safe; everything runs on the event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/event_loop.hpp"
#include "base/result.hpp"
#include "net/tls.hpp"
#include "uplink/assignment.hpp"
#include "uplink/checkpoints.hpp"
#include "uplink/feeds.hpp"
#include "uplink/histogram.hpp"
#include "uplink/link.hpp"
#include "uplink/reconnect.hpp"
#include "uplink/settings.hpp"
#include "uplink/status.hpp"
#include "uplink/vault_session.hpp"

namespace mitral::uplink {

class Uplink {
  public:
    struct Parts {
        base::EventLoop& loop;
        const base::Clock& clock;
        VaultSession& vault;
        net::TlsContext tls;
        std::function<std::uint64_t()> random;
    };
    Uplink(Settings settings, Parts parts);
    ~Uplink();
    Uplink(const Uplink&) = delete;
    Uplink& operator=(const Uplink&) = delete;

    // Before start().
    void add_feed(FeedName name, LaneFeed::OpenReader open, const std::string& position_file) {
        checkpoints_.add_lane(name, position_file);
        feeds_.add(std::move(name), std::move(open));
    }
    void start();
    // A fresh token and a new connection now, without loss.
    void renew();
    // Waits a bounded time for acknowledgements, says DISCONNECT, stores positions, stops the loop.
    void stop();

    [[nodiscard]] StatusReport report();

  private:
    enum class Phase : std::uint8_t { waiting, connecting, connected, renewing, stopping, stopped };

    void attempt();
    [[nodiscard]] base::Status connect();
    [[nodiscard]] base::Result<base::Secret> take_token(const std::string& hub);
    void on_up();
    void on_acknowledged(const std::vector<Acknowledged>& acknowledged);
    void on_down(const base::Error& error);
    void retry_after(const base::Error& error, FailureKind kind);
    void note_security(const base::Error& error);
    void hint_reassignment();
    void publish_ready();
    void publish_checkpoints();
    [[nodiscard]] bool publish_last_checkpoint();
    void on_wake();
    void begin_drain(Phase phase, base::Milliseconds bound);
    void drain_further();
    void finish_drain();
    void finish_stop();
    void note_end();
    void retire_link();
    void set_timer(std::optional<base::EventLoop::TimerId>& timer, base::Milliseconds delay,
                   std::function<void()> handler);
    void persist_soon();
    void status_soon();
    void write_status();

    Settings settings_;
    Parts parts_;
    Feeds feeds_;
    Checkpoints checkpoints_;
    ReconnectPolicy policy_;
    Phase phase_ = Phase::waiting;
    std::unique_ptr<Link> link_;
    Assignment assignment_;
    std::string topic_head_;  // of every message to the assigned hub

    struct HeldToken {
        vault::Token token;
        std::string hub;
    };
    std::optional<HeldToken> fresh_;  // no hub has seen it yet
    base::MonotonicTime minted_at_;
    base::MonotonicTime up_since_;
    std::uint64_t published_on_link_ = 0;
    std::uint64_t acknowledged_on_link_ = 0;

    std::optional<base::EventLoop::TimerId> attempt_timer_;
    std::optional<base::EventLoop::TimerId> renewal_timer_;
    std::optional<base::EventLoop::TimerId> drain_timer_;
    std::optional<base::EventLoop::TimerId> persist_timer_;
    std::optional<base::EventLoop::TimerId> checkpoint_timer_;
    std::optional<base::EventLoop::TimerId> status_timer_;

    StatusReport status_;
    Histogram latency_;
    std::string written_status_;  // without its time stamp
    base::MonotonicTime status_written_at_;
    bool status_failed_ = false;
};

}  // namespace mitral::uplink
