#include <algorithm>

#include "azure/ids.hpp"
#include "azure/sas.hpp"
#include "vault/errors.hpp"
#include "vault/order.hpp"
#include "vault/tlv.hpp"

namespace mitral::vault {
namespace {

enum PolicyTag : std::uint8_t {
    tag_id_scope = 1,
    tag_dps_host = 2,
    tag_hubs = 3,
    tag_modules = 4,
    tag_max_lifetime = 5,
    tag_allowance = 6,
    tag_fleet_key = 7,
    tag_quarantine_module = 8,
    tag_time_key = 9,
};

base::Bytes encode_list(const std::vector<std::string>& names) {
    base::ByteWriter out;
    for (const auto& name : names)
        out.text16(name);
    return std::move(out).bytes();
}

bool decode_list(base::ByteView value, std::size_t limit, std::vector<std::string>& out) {
    base::ByteReader in(value);
    while (!in.done()) {
        const auto name = in.text16();
        if (!name || out.size() == limit)
            return false;
        out.emplace_back(*name);
    }
    return true;
}

bool has_duplicates(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end();
}

bool names_are_valid(const Policy& policy) {
    const auto host = [](const std::string& name) { return azure::check_host(name).has_value(); };
    const auto id = [](const std::string& name) {
        return azure::check_device_id(name).has_value();
    };
    return azure::check_id_scope(policy.id_scope) && host(policy.dps_host) &&
           std::all_of(policy.hubs.begin(), policy.hubs.end(), host) &&
           std::all_of(policy.modules.begin(), policy.modules.end(), id);
}

bool limits_hold(const Policy& policy) {
    const bool quarantine_module_listed =
        policy.quarantine_module.empty() ||
        std::find(policy.modules.begin(), policy.modules.end(), policy.quarantine_module) !=
            policy.modules.end();
    return !policy.hubs.empty() && policy.hubs.size() <= max_hubs &&
           policy.modules.size() <= max_modules && !has_duplicates(policy.hubs) &&
           !has_duplicates(policy.modules) && quarantine_module_listed &&
           policy.max_lifetime_s > 0 &&
           policy.max_lifetime_s <= azure::max_token_lifetime.count() && policy.allowance_s > 0;
}

bool read_key(base::ByteView value, std::optional<base::Ed25519PublicKey>& key) {
    if (value.size() != base::Ed25519PublicKey{}.size())
        return false;
    key.emplace();
    std::copy(value.begin(), value.end(), key->begin());
    return true;
}

bool read_field(const Field& field, Policy& policy) {
    switch (field.tag) {
        case tag_id_scope:
            policy.id_scope = base::as_text(field.value);
            return true;
        case tag_dps_host:
            policy.dps_host = base::as_text(field.value);
            return true;
        case tag_hubs:
            return decode_list(field.value, max_hubs, policy.hubs);
        case tag_modules:
            return decode_list(field.value, max_modules, policy.modules);
        case tag_max_lifetime:
            policy.max_lifetime_s = field_u32(field.value).value_or(0);
            return true;
        case tag_allowance:
            policy.allowance_s = field_u32(field.value).value_or(0);
            return true;
        case tag_fleet_key:
            return read_key(field.value, policy.fleet_key);
        case tag_quarantine_module:
            policy.quarantine_module = base::as_text(field.value);
            return !field.value.empty();
        case tag_time_key:
            return read_key(field.value, policy.time_key);
        default:
            return false;
    }
}

}  // namespace

base::Bytes encode(const Policy& policy) {
    base::ByteWriter out;
    put_field(out, tag_id_scope, policy.id_scope);
    put_field(out, tag_dps_host, policy.dps_host);
    put_field(out, tag_hubs, encode_list(policy.hubs));
    put_field(out, tag_modules, encode_list(policy.modules));
    put_field(out, tag_max_lifetime, policy.max_lifetime_s);
    put_field(out, tag_allowance, policy.allowance_s);
    if (policy.fleet_key)
        put_field(out, tag_fleet_key, base::ByteView(*policy.fleet_key));
    if (!policy.quarantine_module.empty())
        put_field(out, tag_quarantine_module, policy.quarantine_module);
    if (policy.time_key)
        put_field(out, tag_time_key, base::ByteView(*policy.time_key));
    return std::move(out).bytes();
}

base::Result<Policy> decode_policy(base::ByteView bytes) {
    Policy policy;
    FieldReader in(bytes);
    while (const auto field = in.next())
        if (!read_field(*field, policy))
            return base::fail(VaultError::order_malformed, "policy field does not parse");
    if (in.malformed())
        return base::fail(VaultError::order_malformed, "policy does not parse");
    if (!limits_hold(policy) || !names_are_valid(policy))
        return base::fail(VaultError::order_malformed, "policy breaks a rule on names or limits");
    if (policy.time_key && policy.allowance_s > max_allowance_with_time_s)
        return base::fail(VaultError::order_malformed,
                          "beside a time authority the allowance is at most 7 days");
    return policy;
}

}  // namespace mitral::vault
