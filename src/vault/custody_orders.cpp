// The part of custody that obeys station and fleet.
#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "vault/custody.hpp"

namespace mitral::vault {
namespace {

base::Status misfit(std::string_view why) {
    return base::fail(VaultError::state_refused, std::string(why));
}

}  // namespace

base::Status Custody::execute(base::ByteView signed_order) {
    auto status = execute_order(signed_order);
    refusals_ += !status && is_refusal(static_cast<VaultError>(status.error().code.value()));
    return status;
}

base::Status Custody::execute_order(base::ByteView signed_order) {
    MITRAL_TRY(const SignedOrder parsed, parse_order(signed_order));
    const Order& order = parsed.order;
    // Who signed comes first: a stranger learns nothing about this unit from the answers.
    MITRAL_TRY(const auto authority, authority_of(order));
    MITRAL_CHECK(verify_order(parsed, authority));
    MITRAL_CHECK(check_fresh(order));

    CustodyState next = state_;
    next.ratchet.order_counter = order.counter;
    if (order.time_s)
        next.ratchet.time_floor_s = std::max(next.ratchet.time_floor_s, *order.time_s);
    MITRAL_CHECK(apply(order, next));
    MITRAL_CHECK(store_->save(encode(next), next.ratchet));
    state_ = std::move(next);
    stored_floor_s_ = state_.ratchet.time_floor_s;
    // It may have come from an authority that is not trusted any more.
    if (order.kind == OrderKind::provision || order.kind == OrderKind::policy ||
        order.kind == OrderKind::wipe)
        time_ = {};
    base::log(base::Severity::notice, "order-executed",
              {{"kind", to_string(order.kind)},
               {"signer", order.signer == Authority::fleet ? "fleet" : "station"},
               {"reason", order.reason}});
    return {};
}

base::Result<base::Ed25519PublicKey> Custody::authority_of(const Order& order) const {
    if (order.signer == Authority::station)
        return has_identity() ? *state_.station_key : station_key_;
    if (!has_identity() || !state_.policy->fleet_key)
        return base::fail(VaultError::order_not_authentic, "this unit knows no fleet authority");
    return *state_.policy->fleet_key;
}

// Neither floor nor counter ever falls, wipes included: a clock that stood wrong when an order was
// signed must not end the unit.
base::Status Custody::check_not_far_ahead(const Order& order) const {
    const auto& known = state_.ratchet;
    const auto latest_s = roughtime_latest_after(known.time_floor_s);
    const bool counter_ahead = order.counter / 1000 > static_cast<std::uint64_t>(latest_s) &&
                               order.counter - known.order_counter > order_counter_step;
    if (counter_ahead || order.time_s.value_or(0) > latest_s)
        return base::fail(VaultError::too_far_ahead,
                          "the order's time or counter is more than ten years ahead of what was "
                          "signed before: was it signed under a wrong clock?");
    return {};
}

base::Status Custody::check_fresh(const Order& order) const {
    if (order.counter <= state_.ratchet.order_counter)
        return base::fail(VaultError::order_replayed,
                          "the order's counter is not above the last one's: sign a new order");
    MITRAL_CHECK(check_not_far_ahead(order));
    if (order.kind == OrderKind::provision) {
        if (has_identity())
            return base::fail(VaultError::already_provisioned,
                              "the unit has an identity: wipe it by a signed order first");
        if (!nonce_ || !base::equal_constant_time(*nonce_, *order.nonce))
            return base::fail(VaultError::order_replayed,
                              "the order does not answer this unit's last statement");
        return {};
    }
    if (!has_identity())
        return base::fail(VaultError::not_provisioned, "the unit has no identity");
    if (order.registration_id != state_.registration_id)
        return base::fail(VaultError::order_not_for_unit, "the order names another unit");
    return {};
}

base::Status Custody::apply(const Order& order, CustodyState& next) {
    switch (order.kind) {
        case OrderKind::provision:
            return apply_provision(order, next);
        case OrderKind::rotate:
            return apply_rotate(order, next);
        case OrderKind::confirm_rotation:
            if (next.pending.empty())
                return misfit("no rotation waits to be confirmed");
            next.active = std::move(next.pending);
            next.pending.clear();
            return {};
        case OrderKind::policy:
            return apply_policy(order, next);
        case OrderKind::quarantine:
            next.state = VaultState::quarantined;
            return {};
        case OrderKind::release:
            if (next.state != VaultState::quarantined)
                return misfit("the unit is not in quarantine");
            next.state = VaultState::ready;
            return {};
        case OrderKind::wipe:
            return apply_wipe(next);
    }
    return base::fail(VaultError::order_malformed, "unknown kind of order");
}

base::Status Custody::apply_provision(const Order& order, CustodyState& next) {
    nonce_.reset();  // whatever happens now, this statement is used up
    MITRAL_TRY(next.active, adopt(order, *order.policy));
    MITRAL_CHECK(adopt_subject_key(order, next));
    next.state = VaultState::ready;
    next.doubtful = false;
    next.registration_id = order.registration_id;
    next.station_key = station_key_;
    next.policy = order.policy;
    return {};
}

base::Status Custody::apply_rotate(const Order& order, CustodyState& next) {
    MITRAL_TRY(next.pending, adopt(order, *state_.policy));
    return {};
}

// A policy may use no module whose key this unit does not have.
base::Status Custody::apply_policy(const Order& order, CustodyState& next) {
    for (const auto& module : order.policy->modules)
        if (!store_->holds(next.active, module) ||
            (!next.pending.empty() && !store_->holds(next.pending, module)))
            return base::fail(VaultError::key_refused,
                              "the policy lists a module that has no key here: rotate with it");
    MITRAL_CHECK(adopt_subject_key(order, next));
    next.policy = order.policy;
    return {};
}

// In a slot of its own: a rotation of the device's key leaves pseudonyms as they are, and no token
// is ever signed with this one.
base::Status Custody::adopt_subject_key(const Order& order, CustodyState& next) {
    if (order.subject_key.empty())
        return {};
    const std::array<WrappedKey, 1> key{{{{}, order.subject_key}}};
    MITRAL_TRY(next.subject, store_->adopt(key));
    return {};
}

// The keys go before the record that they are gone: after a crash between the two the order can be
// given again, while the other way round keys would outlive their wipe.
base::Status Custody::apply_wipe(CustodyState& next) {
    MITRAL_CHECK(store_->wipe());
    const Ratchet ratchet = next.ratchet;
    next = CustodyState{};
    next.state = VaultState::wiped;
    next.ratchet = ratchet;
    base::log_security("vault-wiped");
    return {};
}

base::Result<base::Bytes> Custody::adopt(const Order& order, const Policy& policy) {
    MITRAL_TRY(auto slot, store_->adopt(order.keys));
    for (const auto& module : policy.modules)
        if (!store_->holds(slot, module))
            return base::fail(VaultError::key_refused, "a listed module comes without a key");
    return slot;
}

}  // namespace mitral::vault
