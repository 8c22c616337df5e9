#include "vault/service.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace mitral::vault {
namespace {

template <typename T>
base::Secret reply_with(const base::Result<T>& result) {
    return result ? encode_reply(*result) : encode_reply(result.error());
}

base::Secret reply_with(const base::Status& status) {
    return status ? encode_reply() : encode_reply(status.error());
}

bool is_mint(Operation operation) {
    return operation == Operation::mint_hub || operation == Operation::mint_registration;
}

bool is_evidence(Operation operation) {
    return operation == Operation::checkpoint || operation == Operation::attest;
}

// The rules said no before the trust zone counted. A void key shows only afterwards.
bool was_not_counted(VaultError status) {
    return status != VaultError{} && is_refusal(status) && status != VaultError::key_refused;
}

base::Secret rate_limited(std::string text) {
    return encode_reply({make_error_code(VaultError::rate_limited), std::move(text)});
}

}  // namespace

Service::Service(Backend& backend, RightsTable rights, Limits limits, const base::Clock& clock)
    : backend_(backend),
      rights_(std::move(rights)),
      limiter_(limits.requests),
      mint_limiter_(limits.mints),
      pseudonym_limiter_(limits.pseudonyms),
      evidence_limiter_(limits.evidence),
      clock_(clock) {}

bool Service::admit(RateLimiter& limiter, Told& told, uid_t uid, std::string_view event) {
    if (limiter.admit(uid, clock_.monotonic())) {
        told.erase(uid);
        return true;
    }
    ++refusals_;
    if (told.insert(uid).second)
        base::log_security(event, {{"uid", uid}});
    return false;
}

void Service::note_refused_connection(uid_t uid) {
    ++refusals_;
    if (const auto count = refused_connections_.add(uid, clock_.monotonic()))
        base::log_security("vault-connection-refused", {{"uid", uid}, {"count", *count}});
}

// A share for pseudonyms alone: monitors that make patients up must not cost the user the data keys
// without which nothing can be acquired.
bool Service::admit(uid_t uid, const base::Result<Request>& request) {
    if (request && request->operation == Operation::pseudonym)
        return admit(pseudonym_limiter_, naming_too_many_, uid, "vault-pseudonyms-limited");
    return admit(limiter_, flooding_, uid, "vault-flooded");
}

base::Secret Service::answer(uid_t uid, base::ByteView datagram) {
    const auto request = decode_request(datagram);
    if (!admit(uid, request))
        return rate_limited("too many requests: wait");
    // A peer without any right is not told whether its request was well formed.
    if (!request && rights_.knows(uid))
        return refuse(uid, "malformed", request.error());
    if (!request || !rights_.allows(uid, *request))
        return refuse(uid, request ? to_string(request->operation) : "malformed",
                      {make_error_code(VaultError::refused), {}});
    return judge(uid, *request);
}

base::Secret Service::judge(uid_t uid, const Request& request) {
    const bool mints = is_mint(request.operation);
    if (mints && !admit(mint_limiter_, minting_too_often_, uid, "vault-mints-limited"))
        return rate_limited("too many tokens: wait (vault.mints_per_hour)");
    if (is_evidence(request.operation) &&
        !admit(evidence_limiter_, attesting_too_often_, uid, "vault-evidence-limited"))
        return rate_limited("too much evidence: wait (vault.evidence_per_hour)");
    base::Secret reply = perform(request);
    const std::uint8_t status = reply.view()[1];
    if (mints && was_not_counted(static_cast<VaultError>(status)))
        mint_limiter_.give_back(uid);
    if (status != 0 && is_refusal(static_cast<VaultError>(status)))
        base::log_security("vault-refused",
                           {{"uid", uid},
                            {"operation", to_string(request.operation)},
                            {"why", make_error_code(static_cast<VaultError>(status)).message()}});
    else if (status != 0)
        base::log(base::Severity::error, "vault-backend",
                  {{"operation", to_string(request.operation)},
                   {"why", base::as_text(reply.view().subspan(4))}});
    return reply;
}

base::Secret Service::refuse(uid_t uid, std::string_view operation, const base::Error& error) {
    ++refusals_;
    base::log_security("vault-refused",
                       {{"uid", uid}, {"operation", operation}, {"why", error.code.message()}});
    return encode_reply(error);
}

base::Secret Service::perform(const Request& request) {
    switch (request.operation) {
        case Operation::mint_hub:
            return reply_with(
                backend_.mint(HubTokenRequest{request.hub, request.module_id, request.lifetime}));
        case Operation::mint_registration:
            return reply_with(backend_.mint(RegistrationTokenRequest{request.lifetime}));
        case Operation::new_data_key:
            return reply_with(backend_.new_data_key());
        case Operation::open_data_key:
            return reply_with(backend_.open_data_key(request.blob));
        case Operation::status:
            return status();
        case Operation::begin_provisioning:
            return reply_with(backend_.begin_provisioning());
        case Operation::execute_order:
            return reply_with(backend_.execute(request.blob));
        case Operation::pseudonym:
            return reply_with(backend_.pseudonym(request.patient));
        case Operation::begin_time:
            return reply_with(backend_.begin_time());
        case Operation::take_time:
            return reply_with(backend_.take_time(request.blob));
        case Operation::checkpoint:
            return reply_with(backend_.checkpoint(request.blob));
        case Operation::attest: {
            AttestationNonce nonce{};
            std::copy_n(request.blob.begin(), nonce.size(), nonce.begin());
            return reply_with(backend_.attest(nonce));
        }
    }
    return encode_reply({make_error_code(VaultError::malformed), {}});
}

base::Secret Service::status() {
    auto status = backend_.status();
    if (status)
        status->refusal_count += refusals_;
    return reply_with(status);
}

}  // namespace mitral::vault
