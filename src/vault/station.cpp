#include "vault/station.hpp"

#include "azure/sas.hpp"
#include "vault/errors.hpp"
#include "vault/module_key.hpp"
#include "vault/optee/wrapping.hpp"
#include "vault/tpm/wrapping.hpp"
#ifndef MITRAL_PRODUCTION
#include "vault/software/wrapping.hpp"
#endif

namespace mitral::vault {
namespace {

base::Result<std::vector<WrappedKey>> wrap_for_tpm(const Statement& statement,
                                                   base::ByteView device_key,
                                                   const std::vector<std::string>& modules) {
    std::vector<WrappedKey> keys;
    MITRAL_TRY(auto device, tpm::wrap(device_key, statement.wrapping_key));
    keys.push_back({{}, std::move(device)});
    for (const auto& module : modules) {
        const auto key = derive_module_key(device_key, module);
        MITRAL_TRY(auto blob, tpm::wrap(key.view(), statement.wrapping_key));
        keys.push_back({module, std::move(blob)});
    }
    return keys;
}

// One key: module keys are derived in the secure world.
base::Result<std::vector<WrappedKey>> wrap_for_optee(const Statement& statement,
                                                     std::string_view registration_id,
                                                     base::ByteView key, optee::Purpose purpose) {
    std::vector<WrappedKey> keys;
    MITRAL_TRY(auto blob, optee::wrap(key, purpose, statement, registration_id));
    keys.push_back({{}, std::move(blob)});
    return keys;
}

}  // namespace

base::Result<std::vector<WrappedKey>> wrap_keys(const Statement& statement,
                                                std::string_view registration_id,
                                                base::ByteView device_key,
                                                const std::vector<std::string>& modules) {
    if (statement.backend == "optee")
        return wrap_for_optee(statement, registration_id, device_key, optee::Purpose::device);
    if (statement.backend == "tpm")
        return wrap_for_tpm(statement, device_key, modules);
#ifndef MITRAL_PRODUCTION
    if (statement.backend == "software") {
        MITRAL_TRY(auto blob, software::wrap(device_key, statement.wrapping_key));
        std::vector<WrappedKey> keys;
        keys.push_back({{}, std::move(blob)});
        return keys;
    }
#endif
    return base::fail(
        VaultError::key_refused,
        "this station does not provision units with the back end '" + statement.backend + "'");
}

base::Result<base::Bytes> wrap_subject_key(const Statement& statement,
                                           std::string_view registration_id, base::ByteView key) {
    if (key.size() != subject_key_size)
        return base::fail(VaultError::key_refused,
                          "a subject key has " + std::to_string(subject_key_size) + " bytes");
    MITRAL_TRY(auto keys,
               statement.backend == "optee"
                   ? wrap_for_optee(statement, registration_id, key, optee::Purpose::subject)
                   : wrap_keys(statement, registration_id, key, {}));
    return std::move(keys.front().blob);
}

std::uint64_t order_counter(base::WallTime now) noexcept {
    return now.ms > 0 ? static_cast<std::uint64_t>(now.ms) : 1;
}

base::Result<base::Bytes> provision_order(const Statement& statement,
                                          const StationRequest& request) {
    const auto device_key =
        azure::derive_device_key(request.group_key.view(), request.registration_id);
    Order order;
    order.kind = OrderKind::provision;
    order.registration_id = request.registration_id;
    order.counter = order_counter(request.now);
    order.nonce = statement.nonce;
    order.time_s = request.now.unix_seconds();
    order.policy = request.policy;
    MITRAL_TRY(order.keys, wrap_keys(statement, request.registration_id, device_key.view(),
                                     request.policy.modules));
    if (request.subject_key != nullptr) {
        MITRAL_TRY(order.subject_key, wrap_subject_key(statement, request.registration_id,
                                                       request.subject_key->view()));
    }
    return sign_order(order, request.station_key);
}

base::Status provision_unit(Client& vault, const StationRequest& request) {
    MITRAL_TRY(const auto answer, vault.begin_provisioning());
    MITRAL_TRY(const auto statement, decode_statement(answer));
    MITRAL_TRY(const auto order, provision_order(statement, request));
    return vault.execute(order);
}

}  // namespace mitral::vault
