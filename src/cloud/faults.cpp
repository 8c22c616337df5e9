#include "cloud/faults.hpp"

#include "azure/text.hpp"
#include "base/log.hpp"

namespace mitral::cloud {

Faults::~Faults() {
    for (const auto& state : states_)
        if (state.ends)
            loop_.cancel(state.timer);
}

void Faults::control(front::Listener& mqtt, front::Listener& https) {
    mqtt.set_gate([this] { return lets_in(Fault::hub_away); });
    https.set_gate([this] { return lets_in(Fault::dps_unreachable); });
    roster_.on_silenced([this] { (void)strike(Fault::silent_hub); });
}

std::size_t Faults::set(faults::Order order) {
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
    state.order = std::move(order);
    base::log(base::Severity::notice, "fault-on",
              {{"fault", std::string(faults::entry_of(fault).name)}});
    return begin(fault);
}

bool Faults::clear(Fault fault) {
    auto& state = at(fault);
    if (state.ends)
        loop_.cancel(state.timer);
    state.ends.reset();
    if (!state.order)
        return false;
    state.order.reset();
    end(fault);
    base::log(
        base::Severity::notice, "fault-off",
        {{"fault", std::string(faults::entry_of(fault).name)}, {"fired_in_all", state.fired}});
    return true;
}

std::size_t Faults::begin(Fault fault) {
    std::size_t cut = 0;
    if (fault == Fault::hub_away)
        count(fault, cut = roster_.drop_all("fault: hub away"));
    if (fault == Fault::expired_tokens)
        cut = roster_.drop_all("fault: token expired");
    if (fault == Fault::silent_hub)
        roster_.silence(true);
    return cut;
}

void Faults::end(Fault fault) {
    if (fault == Fault::silent_hub)
        roster_.silence(false);
}

std::optional<faults::Order> Faults::strike(Fault fault) {
    auto& state = at(fault);
    if (!state.order)
        return std::nullopt;
    ++state.fired;
    auto order = state.order;
    if (state.order->count && --*state.order->count == 0)
        clear(fault);
    return order;
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

std::optional<std::string> Faults::move(std::string_view device) {
    const auto order = strike(Fault::dps_reassigning);
    if (!order) {
        moved_.erase(std::string(device));
        return std::nullopt;
    }
    moved_[std::string(device)] = order->hub;
    return order->hub;
}

bool Faults::lives_at(std::string_view device, std::string_view host) const {
    const auto found = moved_.find(device);
    return found == moved_.end() || azure::equal_ignoring_case(found->second, host);
}

}  // namespace mitral::cloud
