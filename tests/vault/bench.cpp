#include "vault/bench.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "vault/errors.hpp"
#include "vault/module_key.hpp"
#include "vault/optee/backend.hpp"
#include "vault/software/backend.hpp"
#include "vault/tpm/backend.hpp"

namespace mitral::test {
namespace {

base::Secret random_secret() {
    base::Secret secret(32);
    base::fill_random(secret.bytes());
    return secret;
}

template <typename T>
T must(base::Result<T> result) {
    if (!result) {
        fprintf(stderr, "bench: %s\n", result.error().message().c_str());
        std::abort();
    }
    return std::move(*result);
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            out.push_back(
                static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
    char name[] = "/tmp/mitral-vault-XXXXXX";
    if (mkdtemp(name) == nullptr)
        std::abort();
    path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string_view to_string(BackendKind kind) {
    switch (kind) {
        case BackendKind::software:
            return "software";
        case BackendKind::tpm:
            return "tpm";
        case BackendKind::optee:
            return "optee";
    }
    return "";
}

vault::Policy standard_policy() {
    vault::Policy policy;
    policy.id_scope = "0ne000A0A0A";
    policy.dps_host = "global.azure-devices-provisioning.net";
    policy.hubs = {std::string(hub), std::string(other_hub)};
    policy.modules = {std::string(module), std::string(alert_module)};
    policy.quarantine_module = alert_module;
    policy.max_lifetime_s = 24 * 3600;
    policy.allowance_s = allowance_s;
    return policy;
}

Bench::Bench(BackendKind backend_kind)
    : kind(backend_kind),
      state_directory(scratch.path() + "/state"),
      station_key(base::ed25519_new_key()),
      fleet_key(base::ed25519_new_key()),
      device_key(random_secret()),
      hardware_key(random_secret()) {
    if (kind == BackendKind::tpm) {
        const auto directory = scratch.path() + "/tpm";
        (void)mkdir(directory.c_str(), 0700);
        tpm.emplace(directory);
    }
    backend_ = must(try_open());
}

base::Result<std::unique_ptr<vault::Backend>> Bench::try_open() {
    const auto station = must(base::ed25519_public_key(station_key));
    if (kind == BackendKind::tpm)
        return vault::tpm::open_backend(state_directory, tpm->tcti(), station, clock);
    if (kind == BackendKind::optee) {
        auto channel =
            open_host_channel(state_directory, hardware_key.view(), &power, &clock, host);
        if (!channel)
            return std::unexpected(channel.error());
        return vault::optee::open_backend(std::move(*channel), station, clock);
    }
    return vault::software::open_backend(state_directory, station, clock);
}

void Bench::restart() {
    backend_.reset();
    backend_ = must(try_open());
}

vault::VaultStatus Bench::status() {
    return must(backend().status());
}

vault::Order Bench::order(vault::OrderKind order_kind) {
    vault::Order order;
    order.kind = order_kind;
    order.registration_id = registration_id;
    order.counter = next_counter++;
    return order;
}

base::Status Bench::execute(const vault::Order& order, const base::Secret& key) {
    return backend().execute(must(vault::sign_order(order, key)));
}

vault::Statement Bench::statement() {
    return must(vault::decode_statement(must(backend().begin_provisioning())));
}

vault::Order Bench::provision_order(const vault::Statement& said) {
    auto provision = order(vault::OrderKind::provision);
    provision.nonce = said.nonce;
    provision.time_s = start_s;
    provision.policy = standard_policy();
    provision.policy->fleet_key = must(base::ed25519_public_key(fleet_key));
    provision.keys =
        must(vault::wrap_keys(said, registration_id, device_key.view(), provision.policy->modules));
    return provision;
}

base::Status Bench::provision() {
    return execute(provision_order());
}

base::Status Bench::rotate_to(base::ByteView key) {
    auto rotate = order(vault::OrderKind::rotate);
    rotate.keys =
        must(vault::wrap_keys(statement(), registration_id, key, standard_policy().modules));
    return execute(rotate);
}

base::Result<vault::Token> Bench::mint(std::string_view hub_name, std::string_view module_id,
                                       std::int64_t lifetime_s) {
    return backend().mint(vault::HubTokenRequest{std::string(hub_name), std::string(module_id),
                                                 base::Seconds(lifetime_s)});
}

TokenParts split(const vault::Token& token) {
    constexpr std::string_view prefix = "SharedAccessSignature ";
    std::string text(base::as_text(token.text.view()));
    TokenParts parts;
    if (!text.starts_with(prefix))
        return parts;
    text.erase(0, prefix.size());
    text.push_back('&');
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('&', at);
        const auto field = text.substr(at, end - at);
        const auto equals = field.find('=');
        const auto name = field.substr(0, equals);
        const auto value = field.substr(equals + 1);
        if (name == "sr")
            parts.sr = value;
        if (name == "se")
            parts.se = value;
        if (name == "skn")
            parts.skn = value;
        if (name == "sig") {
            const auto base64 = percent_decode(value);
            parts.signature.resize(base64.size());
            const int size = EVP_DecodeBlock(parts.signature.data(),
                                             reinterpret_cast<const unsigned char*>(base64.data()),
                                             static_cast<int>(base64.size()));
            parts.signature.resize(size == 33 ? 32 : 0);  // OpenSSL counts the padding
        }
        at = end + 1;
    }
    return parts;
}

bool is_signed_with(const vault::Token& token, base::ByteView key) {
    const auto parts = split(token);
    const std::string signed_text = parts.sr + "\n" + parts.se;
    std::array<std::uint8_t, 32> mac{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(signed_text.data()), signed_text.size(), mac.data(),
         &size);
    return size == mac.size() &&
           std::equal(mac.begin(), mac.end(), parts.signature.begin(), parts.signature.end());
}

std::error_code code_of(const base::Status& status) {
    return status ? std::error_code{} : status.error().code;
}

}  // namespace mitral::test
