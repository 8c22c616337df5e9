#include "uplink/turns.hpp"

#include <algorithm>

namespace mitral::uplink {

Turns::Order Turns::order() const noexcept {
    Order order{Urgency::alert, Urgency::live, Urgency::backlog};
    if (live_in_a_row_ + 1 >= share)
        std::swap(order[1], order[2]);
    if (alerts_in_a_row_ + 1 >= share)
        std::rotate(order.begin(), order.begin() + 1, order.end());
    return order;
}

void Turns::sent(Urgency urgency) noexcept {
    alerts_in_a_row_ = urgency == Urgency::alert ? alerts_in_a_row_ + 1 : 0;
    if (urgency == Urgency::live)
        ++live_in_a_row_;
    else if (urgency == Urgency::backlog)
        live_in_a_row_ = 0;
}

void Turns::had_none(Urgency urgency) noexcept {
    if (urgency == Urgency::backlog)
        live_in_a_row_ = 0;
}

}  // namespace mitral::uplink
