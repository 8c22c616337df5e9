// One bed: its monitor, its connection and its book. Sends on time, keeps what has no answer, sends
// it again under the same MSH-10 after a new connection or AE, and books what was acknowledged.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "bedside/bed_plan.hpp"
#include "bedside/book.hpp"
#include "bedside/latency.hpp"
#include "bedside/monitor.hpp"
#include "bedside/wire.hpp"

namespace mitral::bedside {

// Of all beds together.
struct Tally {
    std::uint64_t messages = 0;      // sent for the first time
    std::uint64_t acknowledged = 0;  // messages
    std::uint64_t observations = 0;  // in them
    std::uint64_t refused = 0;
    std::uint64_t postponed = 0;  // AE
    std::uint64_t unasked = 0;    // answers to nothing on the way: those to a resend, above all
    std::uint64_t reconnects = 0;
    std::uint64_t connected = 0;  // beds, now
    Latencies latencies;          // of messages that no fault befell, from first sending to answer
    Latencies recent;             // since the last status line
    std::string trouble;          // the newest cause of a lost connection, refusal or delay
};

class Bed {
  public:
    struct Place {
        base::EventLoop& loop;
        const base::Clock& clock;
        const WardPlan& plan;
        Tally& tally;
    };

    // `tls`: null for plain TCP. The place and what it names outlive the bed.
    Bed(Place place, Monitor monitor, std::optional<Book> book, const net::TlsContext* tls,
        std::size_t number);
    Bed(const Bed&) = delete;
    Bed& operator=(const Bed&) = delete;
    ~Bed();

    // The first message comes `phase` from now, so that a ward does not speak in chorus.
    [[nodiscard]] base::Status start(base::Milliseconds phase);
    void stop() noexcept { stopped_ = true; }  // nothing new; what is on the way is brought home
    [[nodiscard]] bool exhausted() const noexcept;  // has nothing new to say
    [[nodiscard]] bool done() const noexcept;       // and everything has its answer
    // Once a second: connects again when an answer is overdue.
    void tick();
    [[nodiscard]] base::Status flush();
    // At the end. Books what has no answer; the number of those messages.
    [[nodiscard]] base::Result<std::size_t> close();

  private:
    struct Sent {
        Message message;
        base::WallTime first;
        base::MonotonicTime first_asked;
        base::MonotonicTime asked;
        bool measured = true;  // its latency says something about the gateway
        bool again = false;    // will be sent a second time once answered (Fault::resend)
    };

    [[nodiscard]] base::Status listen();
    void accept();
    void connect();
    void take_wire(base::UniqueFd socket, bool server);
    void opened();
    void lost(const std::string& why);
    void answered(const Answer& answer);
    void settle(Sent sent, const Answer& answer);
    void pump();
    [[nodiscard]] bool may_speak(int count);
    void speak();
    void transmit(Sent sent, Fault fault);
    void transmit_batch();
    [[nodiscard]] Sent compose();
    [[nodiscard]] Lane next_lane() const noexcept;
    [[nodiscard]] base::MonotonicTime due() const noexcept;
    void wait_until_due();
    void rest(base::Milliseconds pause);

    Place place_;
    Monitor monitor_;
    std::optional<Book> book_;
    const net::TlsContext* tls_;
    Mischief mischief_;
    net::Endpoint to_;
    base::UniqueFd listener_;
    std::unique_ptr<Wire> wire_;
    std::deque<Sent> on_the_way_;
    std::deque<Sent> again_;
    std::optional<base::EventLoop::TimerId> timer_;  // next message, or the end of a rest
    std::optional<base::EventLoop::TimerId> reconnect_;
    base::Milliseconds backoff_{100};
    base::MonotonicTime origin_;  // when the schedule began
    double vitals_at_ = 0;        // ms on the schedule
    double waves_at_ = 0;
    bool queried_ = false;
    bool resting_ = false;
    bool stopped_ = false;
    bool ending_ = false;
};

}  // namespace mitral::bedside
