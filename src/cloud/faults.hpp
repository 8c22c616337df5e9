#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "cloud/faults/catalogue.hpp"
#include "cloud/front/listener.hpp"
#include "cloud/mqtt/roster.hpp"

namespace mitral::cloud {

using faults::Fault;

// Misbehaviour on demand: which faults are on, until when, and how often each has struck. Those who
// can misbehave ask with strike(). Kept in memory only: a restart ends all faults.
class Faults {
  public:
    Faults(base::EventLoop& loop, const base::Clock& clock, mqtt::Roster& roster)
        : loop_(loop), clock_(clock), roster_(roster) {}
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;
    ~Faults();

    // The gates of the two ports: from now on new connections are subject to faults.
    void control(front::Listener& mqtt, front::Listener& https);

    // Puts a fault on, in place of an earlier order for it. Hub-away and expired-tokens cut the
    // connections there are; returns how many were cut.
    std::size_t set(faults::Order order);
    // False when it was not on.
    bool clear(Fault fault);
    // For what strikes once and leaves nothing behind.
    void count(Fault fault, std::uint64_t strikes) noexcept { at(fault).fired += strikes; }

    // The order in force if the fault is on, and then this is one more strike of it.
    [[nodiscard]] std::optional<faults::Order> strike(Fault fault);
    // The same without a strike.
    [[nodiscard]] const faults::Order* in_force(Fault fault) const;

    struct Row {
        Fault fault;
        std::uint64_t fired;                 // since the process started
        std::optional<faults::Order> order;  // when on; `count` is what is left
        std::optional<base::Milliseconds> ends_in;
    };
    [[nodiscard]] Row row(Fault fault) const;

    // The hub that a device is moved to by this registration, if it is moved.
    [[nodiscard]] std::optional<std::string> move(std::string_view device);
    // False when the device was moved to a hub of another name.
    [[nodiscard]] bool lives_at(std::string_view device, std::string_view host) const;

  private:
    struct State {
        std::uint64_t fired = 0;
        std::optional<faults::Order> order{};
        std::optional<base::MonotonicTime> ends{};
        base::EventLoop::TimerId timer{};
    };
    [[nodiscard]] State& at(Fault fault) { return states_[static_cast<std::size_t>(fault)]; }
    [[nodiscard]] const State& at(Fault fault) const {
        return states_[static_cast<std::size_t>(fault)];
    }
    [[nodiscard]] bool lets_in(Fault fault) { return !strike(fault); }
    std::size_t begin(Fault fault);
    void end(Fault fault);

    base::EventLoop& loop_;
    const base::Clock& clock_;
    mqtt::Roster& roster_;
    std::array<State, faults::fault_count> states_{};
    std::map<std::string, std::string, std::less<>> moved_{};  // device → its hub's name
};

}  // namespace mitral::cloud
