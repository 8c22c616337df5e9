#include "vault/custody.hpp"

#include <algorithm>

#include "azure/sas.hpp"
#include "base/fail_point.hpp"
#include "base/log.hpp"

namespace mitral::vault {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool was_refused(const base::Result<Token>& token) {
    return !token && is_refusal(static_cast<VaultError>(token.error().code.value()));
}

}  // namespace

Custody::Custody(std::unique_ptr<KeyStore> store, const base::Ed25519PublicKey& station_key,
                 const base::Clock& clock)
    : store_(std::move(store)), station_key_(station_key), clock_(clock) {
    base::fill_random(boot_id_);
}

base::Result<std::unique_ptr<Backend>> Custody::open(std::unique_ptr<KeyStore> store,
                                                     const base::Ed25519PublicKey& station_key,
                                                     const base::Clock& clock) {
    std::unique_ptr<Custody> custody(new Custody(std::move(store), station_key, clock));
    MITRAL_CHECK(custody->load());
    return custody;
}

base::Status Custody::load() {
    MITRAL_TRY(StoredState stored, store_->load());
    auto state = stored.state.empty() ? base::Result<CustodyState>(CustodyState{})
                                      : decode_state(stored.state);
    if (stored.authentic && state) {
        state_ = std::move(*state);
        state_.ratchet.time_floor_s =
            std::max(state_.ratchet.time_floor_s, stored.ratchet.time_floor_s);
        state_.ratchet.order_counter =
            std::max(state_.ratchet.order_counter, stored.ratchet.order_counter);
        stored_floor_s_ = state_.ratchet.time_floor_s;
        return {};
    }
    // Nothing is destroyed here: putting the right file back must heal a unit, an attacker who can
    // write files must not be able to void its keys.
    base::log_security("vault-state-refused",
                       {{"cause", stored.authentic ? "damaged" : "lost or rolled back"}});
    state_ = CustodyState{};
    state_.state = VaultState::wiped;
    state_.ratchet = stored.ratchet;
    stored_floor_s_ = state_.ratchet.time_floor_s;
    state_.doubtful = true;
    return {};
}

bool Custody::has_identity() const noexcept {
    return state_.state == VaultState::ready || state_.state == VaultState::quarantined;
}

base::Result<Token> Custody::mint(const HubTokenRequest& request) {
    auto token = mint_device(request);
    refusals_ += was_refused(token);
    return token;
}

base::Result<Token> Custody::mint(const RegistrationTokenRequest& request) {
    auto token = mint_registration(request);
    refusals_ += was_refused(token);
    return token;
}

base::Result<Token> Custody::mint_device(const HubTokenRequest& request) {
    MITRAL_CHECK(check_may_mint(request.module_id));
    if (!contains(state_.policy->hubs, request.hub))
        return base::fail(VaultError::not_listed, "hub is not on the provisioned list");
    if (!request.module_id.empty() && !contains(state_.policy->modules, request.module_id))
        return base::fail(VaultError::not_listed, "module is not on the provisioned list");
    MITRAL_TRY(const auto expiry, expiry_for(request.lifetime));
    MITRAL_TRY(
        const auto resource,
        request.module_id.empty()
            ? azure::device_resource(request.hub, state_.registration_id)
            : azure::module_resource(request.hub, state_.registration_id, request.module_id));
    return sign(request.module_id, resource, expiry, {});
}

base::Result<Token> Custody::mint_registration(const RegistrationTokenRequest& request) {
    MITRAL_CHECK(check_may_mint({}));
    MITRAL_TRY(const auto expiry, expiry_for(request.lifetime));
    MITRAL_TRY(const auto resource,
               azure::registration_resource(state_.policy->id_scope, state_.registration_id));
    return sign({}, resource, expiry, azure::registration_policy);
}

base::Status Custody::check_may_mint(std::string_view module) const {
    if (!has_identity())
        return base::fail(VaultError::not_provisioned,
                          "the unit has no identity: provision it at the station first");
    const bool alerts = !module.empty() && module == state_.policy->quarantine_module;
    if (state_.state == VaultState::quarantined && !alerts)
        return base::fail(VaultError::quarantined,
                          "the unit is in quarantine: no tokens until a signed release");
    return {};
}

base::Result<std::int64_t> Custody::expiry_for(base::Seconds lifetime) const {
    const base::Seconds cap =
        std::min(azure::max_token_lifetime, base::Seconds(state_.policy->max_lifetime_s));
    if (lifetime <= base::Seconds::zero() || lifetime > cap)
        return base::fail(VaultError::lifetime_refused,
                          "a token lives 1 to " + std::to_string(cap.count()) + " s");
    // By signed time whatever the clock says; without it the clock has bounds.
    std::int64_t signed_s = 0;
    if (roughtime_now(&time_, uptime_ms(), &signed_s)) {
        MITRAL_TRY(const auto expiry, azure::token_expiry(signed_s, lifetime));
        return expiry;
    }
    const std::int64_t now = clock_.wall().unix_seconds();
    const std::int64_t floor = state_.ratchet.time_floor_s;
    if (clock_.state() == base::ClockState::implausible || now < floor)
        return base::fail(VaultError::clock_refused,
                          "the clock stands before the signed time floor: set the clock");
    const auto expiry = azure::token_expiry(now, lifetime);
    if (!expiry || *expiry - floor > std::int64_t{state_.policy->allowance_s})
        return base::fail(VaultError::clock_refused,
                          "the token would outlive the signed time floor by more than the "
                          "allowance: signed time is needed, or the clock runs ahead");
    return *expiry;
}

base::Result<Token> Custody::sign(std::string_view module, std::string_view resource,
                                  std::int64_t expiry_s, std::string_view policy) {
    MITRAL_TRY(const auto to_sign, azure::string_to_sign(resource, expiry_s));
    // Counted first: a token that nobody counted must not exist.
    MITRAL_FAIL_POINT("vault.count-mint");
    MITRAL_CHECK(store_->count_mint());
    MITRAL_FAIL_POINT("vault.mint-counted");
    MITRAL_TRY(const auto mac, store_->mac(state_.active, module, base::as_bytes(to_sign)));
    MITRAL_TRY(auto text, azure::assemble_token(resource, expiry_s, mac, policy));
    return Token{std::move(text), expiry_s};
}

base::Result<DataKey> Custody::new_data_key() {
    MITRAL_FAIL_POINT("vault.wrap-key");
    return store_->new_data_key();
}

base::Result<base::Secret> Custody::open_data_key(base::ByteView wrapped) {
    MITRAL_FAIL_POINT("vault.open-key");
    auto key = store_->open_data_key(wrapped);
    // A refusal is for ever: the reader gives the segment up. While the state itself is in doubt it
    // is no verdict, since the right file or the right trust zone, put back, opens the key again.
    if (!key && key.error().code == VaultError::key_refused && state_.doubtful)
        return base::fail(VaultError::backend_failure,
                          "the vault's state was refused at start: put back the right one, or "
                          "provision the unit anew");
    return key;
}

base::Result<VaultStatus> Custody::status() {
    VaultStatus status;
    status.state = state_.state;
    status.backend = store_->kind();
    status.boundary = store_->boundary();
    status.registration_id = state_.registration_id;
    if (state_.policy) {
        status.id_scope = state_.policy->id_scope;
        status.dps_host = state_.policy->dps_host;
        status.time_allowance_s = state_.policy->allowance_s;
        status.max_token_lifetime_s = state_.policy->max_lifetime_s;
        status.time_authority = state_.policy->time_key.has_value();
    }
    MITRAL_TRY(status.mint_count, store_->mint_count());
    status.refusal_count = refusals_;
    status.time_floor_s = state_.ratchet.time_floor_s;
    status.signed_time_age_s = roughtime_age_s(&time_, uptime_ms());
    status.pending_key = !state_.pending.empty();
    status.subject_key = !state_.subject.empty();
    return status;
}

// In quarantine too: a security reaction never stops acquisition.
base::Result<Pseudonym> Custody::pseudonym(const Patient& patient) {
    if (!is_nameable(patient))
        return base::fail(VaultError::malformed, "nobody is named, or at too much length");
    if (state_.subject.empty())
        return base::fail(VaultError::not_provisioned,
                          "the unit has no key for pseudonyms: the station gives it "
                          "(--subject-key)");
    MITRAL_TRY(auto mac, store_->mac(state_.subject, {}, pseudonym_input(patient)));
    Pseudonym result{};
    std::copy_n(mac.begin(), result.size(), result.begin());
    base::wipe(mac);
    return result;
}

base::Result<base::Bytes> Custody::begin_provisioning() {
    Statement statement;
    statement.backend = store_->kind();
    MITRAL_TRY(statement.wrapping_key, store_->wrapping_key());
    base::fill_random(statement.nonce);
    nonce_ = statement.nonce;
    return encode(statement);
}

}  // namespace mitral::vault
