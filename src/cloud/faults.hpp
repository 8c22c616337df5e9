#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "cloud/faults/catalogue.hpp"
#include "cloud/faults/dice.hpp"
#include "cloud/faults/fault_log.hpp"
#include "cloud/front/listener.hpp"
#include "cloud/mqtt/roster.hpp"

namespace mitral::cloud {

using faults::Fault;
class Faults;

// The latency of one port.
class PortLag final : public front::Lag {
  public:
    PortLag(Faults& faults, std::string_view port) : faults_(faults), port_(port) {}
    [[nodiscard]] base::Milliseconds inbound() override { return delay("up_ms"); }
    [[nodiscard]] base::Milliseconds outbound() override { return delay("down_ms"); }

  private:
    [[nodiscard]] base::Milliseconds delay(std::string_view parameter);
    Faults& faults_;
    std::string_view port_;
};

// What a fault does to parts that the faults do not know.
struct FaultLevers {
    std::function<void(base::Seconds)> set_clock{};
    // True: the other root, made afresh when that is asked for. False: back to the first.
    std::function<base::Status(bool other, bool fresh)> use_root{};
    std::function<void()> bury{};  // LinkPool::bury
};

// Misbehaviour on demand: which faults are on, until when, and how often each has struck. Those who
// can misbehave ask with strike(). Kept in memory only: a restart ends all faults.
class Faults {
  public:
    Faults(base::EventLoop& loop, const base::Clock& clock, mqtt::Roster& roster)
        : loop_(loop), clock_(clock), roster_(roster), log_(clock) {}
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;
    ~Faults();

    // The gates of the two ports: from now on new connections are subject to faults.
    void control(front::Listener& mqtt, front::Listener& https);
    // The same for the port of back ends, which knows no devices: what strikes all strikes it too.
    void control_amqp(front::Listener& amqp);
    // Cuts the connections of that port; how many.
    std::size_t drop_amqp(std::string_view reason);
    void connect(FaultLevers levers) { levers_ = std::move(levers); }

    // Puts a fault on, in place of an earlier order for it; returns how many connections that cut.
    // Fails when its means cannot be had (files of a certificate); then it is off.
    base::Result<std::size_t> set(faults::Order order);
    // False when it was not on.
    bool clear(Fault fault);
    // For what strikes once and leaves nothing behind.
    void count(Fault fault, std::uint64_t strikes);

    // The order in force if the fault is on, and then this is one more strike of it.
    [[nodiscard]] std::optional<faults::Order> strike(Fault fault);
    // For a fault with a share: draws first, and strikes in that share of all calls.
    [[nodiscard]] std::optional<faults::Order> strike_by_chance(Fault fault);
    [[nodiscard]] faults::Dice& dice(Fault fault) { return at(fault).dice; }
    // How to break an answer, if it is to be broken. `choose` says which kind of what was ordered
    // fits it; nothing that fits is no strike.
    [[nodiscard]] std::string_view malformation(
        const std::function<std::string_view(std::string_view wanted, faults::Dice&)>& choose);
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
    // Connections of this device get code 5 now.
    [[nodiscard]] bool expires_tokens_of(std::string_view device);
    // False when the device was moved to a hub of another name, or all were.
    [[nodiscard]] bool lives_at(std::string_view device, std::string_view host) const;
    [[nodiscard]] const faults::FaultLog& log() const noexcept { return log_; }

  private:
    struct State {
        std::uint64_t fired = 0;
        std::optional<faults::Order> order{};
        std::optional<base::MonotonicTime> ends{};
        base::EventLoop::TimerId timer{};
        faults::Dice dice{0};
    };
    [[nodiscard]] State& at(Fault fault) { return states_[static_cast<std::size_t>(fault)]; }
    [[nodiscard]] const State& at(Fault fault) const {
        return states_[static_cast<std::size_t>(fault)];
    }
    [[nodiscard]] bool lets_in(Fault fault);
    base::Result<std::size_t> begin(Fault fault);
    void end(Fault fault, const faults::Order& order);

    base::EventLoop& loop_;
    const base::Clock& clock_;
    mqtt::Roster& roster_;
    faults::FaultLog log_;
    FaultLevers levers_{};
    PortLag mqtt_lag_{*this, "mqtt"};
    PortLag https_lag_{*this, "https"};
    PortLag amqp_lag_{*this, "amqp"};
    front::Listener* amqp_ = nullptr;  // may be null
    std::array<State, faults::fault_count> states_{};
    std::map<std::string, std::string, std::less<>> moved_{};  // device → its hub's name
};

}  // namespace mitral::cloud
