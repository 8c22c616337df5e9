#include "cloud/faults.hpp"

#include <utility>

#include "azure/text.hpp"
#include "base/log.hpp"

namespace mitral::cloud {

Faults::~Faults() {
    for (const auto& state : states_)
        if (state.ends)
            loop_.cancel(state.timer);
}

void Faults::control(front::Listener& mqtt, front::Listener& https) {
    mqtt.set_lag(mqtt_lag_);
    https.set_lag(https_lag_);
    mqtt.set_gate([this] { return lets_in(Fault::hub_away); });
    https.set_gate([this] { return lets_in(Fault::dps_unreachable); });
    roster_.on_silenced([this] { (void)strike(Fault::silent_hub); });
}

void Faults::control_amqp(front::Listener& amqp) {
    amqp_ = &amqp;
    amqp.set_lag(amqp_lag_);
    amqp.set_gate([this] { return lets_in(Fault::hub_away); });
}

std::size_t Faults::drop_amqp(std::string_view reason) {
    return amqp_ != nullptr ? amqp_->drop_all(reason) : 0;
}

bool Faults::lets_in(Fault fault) {
    if (strike(fault))
        return false;
    (void)strike(Fault::certificate_rollover);
    return true;
}

base::Milliseconds PortLag::delay(std::string_view parameter) {
    const auto* order = faults_.in_force(Fault::latency);
    if (order == nullptr || (order->text("port") != "all" && order->text("port") != port_))
        return base::Milliseconds(0);
    const base::Milliseconds delay(order->number(parameter));
    if (delay > base::Milliseconds(0))
        faults_.count(Fault::latency, 1);
    return delay;
}

base::Result<std::size_t> Faults::set(faults::Order order) {
    const auto fault = order.fault;
    auto& state = at(fault);
    if (state.ends)
        loop_.cancel(state.timer);
    state.ends.reset();
    if (order.duration) {
        state.ends = clock_.monotonic() + *order.duration;
        state.timer = loop_.after(*order.duration, [this, fault] {
            at(fault).ends.reset();
            clear(fault);
        });
    }
    const auto name = faults::entry_of(fault).name;
    state.dice = faults::Dice(static_cast<std::uint64_t>(order.number("seed")));
    state.order = std::move(order);
    base::log(base::Severity::notice, "fault-on", {{"fault", std::string(name)}});
    log_.note(fault, faults::FaultEvent::on);
    auto begun = begin(fault);
    if (!begun) {
        base::log(base::Severity::error, "fault-failed",
                  {{"fault", std::string(name)}, {"cause", begun.error().message()}});
        clear(fault);
    }
    return begun;
}

bool Faults::clear(Fault fault) {
    auto& state = at(fault);
    if (state.ends)
        loop_.cancel(state.timer);
    state.ends.reset();
    if (!state.order)
        return false;
    const auto order = *std::exchange(state.order, std::nullopt);
    end(fault, order);
    log_.note(fault, faults::FaultEvent::off);
    base::log(
        base::Severity::notice, "fault-off",
        {{"fault", std::string(faults::entry_of(fault).name)}, {"fired_in_all", state.fired}});
    return true;
}

void Faults::count(Fault fault, std::uint64_t strikes) {
    at(fault).fired += strikes;
    if (strikes > 0)
        log_.note(fault, faults::FaultEvent::struck, strikes);
}

base::Result<std::size_t> Faults::begin(Fault fault) {
    const auto order = *at(fault).order;
    std::size_t cut = 0;
    switch (fault) {
        case Fault::hub_away:
            cut = drop_amqp("fault: hub away");
            count(fault, cut += roster_.drop_all("fault: hub away"));
            return cut;
        case Fault::expired_tokens:
            if (order.text("device").empty())
                cut = drop_amqp("fault: token expired");
            return cut + roster_.drop_all("fault: token expired", order.text("device"));
        case Fault::hub_failover:
            cut = drop_amqp("fault: hub failed over");
            return cut + roster_.drop_all("fault: hub failed over");
        case Fault::silent_hub:
            roster_.silence(true);
            return cut;
        case Fault::half_open:
            if (order.text("device").empty() && amqp_ != nullptr)
                count(fault, amqp_->vanish_all());
            count(fault, roster_.vanish(order.text("device")));
            return cut;
        case Fault::clock_off:
            if (levers_.set_clock)
                levers_.set_clock(base::Seconds(order.number("offset_s")));
            count(fault, 1);
            return cut;
        case Fault::certificate_rollover:
            if (levers_.use_root)
                MITRAL_CHECK(levers_.use_root(true, order.number("fresh") == 1));
            if (order.number("cut") == 1)
                cut = drop_amqp("fault: certificate rolled over") +
                      roster_.drop_all("fault: certificate rolled over");
            return cut;
        default:
            return cut;
    }
}

void Faults::end(Fault fault, const faults::Order& order) {
    if (fault == Fault::silent_hub)
        roster_.silence(false);
    if (fault == Fault::half_open)
        if (levers_.bury)
            levers_.bury();
    if (fault == Fault::clock_off && levers_.set_clock)
        levers_.set_clock(base::Seconds(0));
    if (fault != Fault::certificate_rollover || !levers_.use_root)
        return;
    if (const auto back = levers_.use_root(false, false); !back)
        base::log(base::Severity::error, "fault-not-ended", {{"cause", back.error().message()}});
    if (order.number("cut") == 1) {
        (void)roster_.drop_all("certificate rolled back");
        (void)drop_amqp("certificate rolled back");
    }
}

std::optional<faults::Order> Faults::strike(Fault fault) {
    auto& state = at(fault);
    if (!state.order)
        return std::nullopt;
    count(fault, 1);
    auto order = state.order;
    if (state.order->count && --*state.order->count == 0)
        clear(fault);
    return order;
}

std::optional<faults::Order> Faults::strike_by_chance(Fault fault) {
    auto& state = at(fault);
    if (!state.order || !state.dice.falls(state.order->number("percent")))
        return std::nullopt;
    return strike(fault);
}

std::string_view Faults::malformation(
    const std::function<std::string_view(std::string_view, faults::Dice&)>& choose) {
    auto& state = at(Fault::malformed);
    if (!state.order)
        return {};
    const auto kind = choose(state.order->text("kind"), state.dice);
    return kind.empty() || !strike_by_chance(Fault::malformed) ? std::string_view() : kind;
}

const faults::Order* Faults::in_force(Fault fault) const {
    const auto& order = at(fault).order;
    return order ? &*order : nullptr;
}

Faults::Row Faults::row(Fault fault) const {
    const auto& state = at(fault);
    Row row{.fault = fault, .fired = state.fired, .order = state.order, .ends_in = {}};
    if (state.ends)
        row.ends_in = std::max(*state.ends - clock_.monotonic(), base::Milliseconds(0));
    return row;
}

bool Faults::expires_tokens_of(std::string_view device) {
    const auto* order = in_force(Fault::expired_tokens);
    if (order == nullptr || (!order->text("device").empty() && order->text("device") != device))
        return false;
    return strike(Fault::expired_tokens).has_value();
}

std::optional<std::string> Faults::move(std::string_view device) {
    if (const auto failed_over = strike(Fault::hub_failover))
        return std::string(failed_over->text("hub"));
    const auto order = strike(Fault::dps_reassigning);
    if (!order) {
        moved_.erase(std::string(device));
        return std::nullopt;
    }
    moved_[std::string(device)] = order->text("hub");
    return std::string(order->text("hub"));
}

bool Faults::lives_at(std::string_view device, std::string_view host) const {
    if (const auto* order = in_force(Fault::hub_failover))
        return azure::equal_ignoring_case(order->text("hub"), host);
    const auto found = moved_.find(device);
    return found == moved_.end() || azure::equal_ignoring_case(found->second, host);
}

}  // namespace mitral::cloud
