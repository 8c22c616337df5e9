#include "vault/order.hpp"

#include <algorithm>

#include "azure/ids.hpp"
#include "azure/sas_core.h"
#include "vault/errors.hpp"
#include "vault/tlv.hpp"

namespace mitral::vault {
namespace {

// The zero keeps this apart from any text another part of Mitral may sign.
constexpr std::string_view signing_domain{"mitral order 1\0", 15};
constexpr std::string_view magic = "MVO1";
constexpr std::size_t signature_size = 64;
constexpr std::size_t max_reason = 64;

enum OrderTag : std::uint8_t {
    tag_registration_id = 1,
    tag_counter = 2,
    tag_nonce = 3,
    tag_time = 4,
    tag_policy = 5,
    tag_keys = 6,
    tag_reason = 7,
    tag_subject_key = 8,
};

auto malformed(std::string_view why) {
    return base::fail(VaultError::order_malformed, std::string(why));
}

bool is_reason(std::string_view text) {
    return text.size() <= max_reason &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

base::Bytes encode_keys(const std::vector<WrappedKey>& keys) {
    base::ByteWriter out;
    for (const auto& key : keys)
        out.text16(key.module).block16(key.blob);
    return std::move(out).bytes();
}

bool decode_keys(base::ByteView value, std::vector<WrappedKey>& out) {
    base::ByteReader in(value);
    while (!in.done()) {
        const auto module = in.text16();
        const auto blob = in.block16();
        if (!module || !blob || blob->empty() || out.size() == max_modules + 1)
            return false;
        out.push_back({std::string(*module), base::Bytes(blob->begin(), blob->end())});
    }
    return true;
}

// The device's key first, then each module's at most once.
bool keys_are_valid(const std::vector<WrappedKey>& keys) {
    if (keys.empty() || !keys.front().module.empty())
        return false;
    for (auto key = keys.begin() + 1; key != keys.end(); ++key) {
        const auto same = [&](const WrappedKey& other) { return other.module == key->module; };
        if (!azure::check_device_id(key->module) || std::any_of(keys.begin(), key, same))
            return false;
    }
    return true;
}

// Exactly the fields its kind needs: nothing is silently ignored.
base::Status check_shape(const Order& order) {
    const bool provision = order.kind == OrderKind::provision;
    const bool brings_keys = provision || order.kind == OrderKind::rotate;
    const bool brings_policy = provision || order.kind == OrderKind::policy;
    const bool gives_reason = order.kind == OrderKind::quarantine || order.kind == OrderKind::wipe;
    if (!azure::check_registration_id(order.registration_id))
        return malformed("order names no valid registration id");
    if (order.counter == 0)
        return malformed("order counter is zero");
    if (provision != order.nonce.has_value() || (provision && !order.time_s))
        return malformed("nonce and time do not fit the kind of order");
    if (order.time_s && (*order.time_s <= 0 || *order.time_s > MITRAL_SAS_MAX_TIME_S))
        return malformed("order time is out of range");
    if (provision && order.signer != Authority::station)
        return malformed("only the station provisions");
    if (brings_policy != order.policy.has_value())
        return malformed("policy does not fit the kind of order");
    if (brings_keys == order.keys.empty() || (brings_keys && !keys_are_valid(order.keys)))
        return malformed("keys do not fit the kind of order");
    if (!brings_policy && !order.subject_key.empty())
        return malformed("a subject key does not fit the kind of order");
    if (!is_reason(order.reason) || (!gives_reason && !order.reason.empty()))
        return malformed("reason does not fit the kind of order");
    return {};
}

bool read_field(const Field& field, Order& order) {
    switch (field.tag) {
        case tag_registration_id:
            order.registration_id = base::as_text(field.value);
            return true;
        case tag_counter:
            order.counter = field_u64(field.value).value_or(0);
            return true;
        case tag_nonce:
            if (field.value.size() != Nonce{}.size())
                return false;
            order.nonce.emplace();
            std::copy(field.value.begin(), field.value.end(), order.nonce->begin());
            return true;
        case tag_time: {
            const auto time = field_u64(field.value);
            if (!time || *time > static_cast<std::uint64_t>(MITRAL_SAS_MAX_TIME_S))
                return false;
            order.time_s = static_cast<std::int64_t>(*time);
            return true;
        }
        case tag_keys:
            return decode_keys(field.value, order.keys);
        case tag_reason:
            order.reason = base::as_text(field.value);
            return true;
        case tag_subject_key:
            order.subject_key.assign(field.value.begin(), field.value.end());
            return true;
        default:
            return false;
    }
}

base::Bytes encode_body(const Order& order) {
    base::ByteWriter out;
    out.text(magic).u8(static_cast<std::uint8_t>(order.kind));
    out.u8(static_cast<std::uint8_t>(order.signer));
    put_field(out, tag_registration_id, order.registration_id);
    put_field(out, tag_counter, order.counter);
    if (order.nonce)
        put_field(out, tag_nonce, base::ByteView(*order.nonce));
    if (order.time_s)
        put_field(out, tag_time, static_cast<std::uint64_t>(*order.time_s));
    if (order.policy)
        put_field(out, tag_policy, encode(*order.policy));
    if (!order.keys.empty())
        put_field(out, tag_keys, encode_keys(order.keys));
    if (!order.reason.empty())
        put_field(out, tag_reason, order.reason);
    if (!order.subject_key.empty())
        put_field(out, tag_subject_key, order.subject_key);
    return std::move(out).bytes();
}

base::Bytes signed_bytes(base::ByteView body) {
    base::ByteWriter out;
    out.text(signing_domain).raw(body);
    return std::move(out).bytes();
}

}  // namespace

std::string_view to_string(OrderKind kind) noexcept {
    switch (kind) {
        case OrderKind::provision:
            return "provision";
        case OrderKind::rotate:
            return "rotate";
        case OrderKind::confirm_rotation:
            return "confirm-rotation";
        case OrderKind::policy:
            return "policy";
        case OrderKind::quarantine:
            return "quarantine";
        case OrderKind::release:
            return "release";
        case OrderKind::wipe:
            return "wipe";
    }
    return "unknown";
}

base::Result<base::Bytes> sign_order(const Order& order, const base::Secret& key) {
    MITRAL_CHECK(check_shape(order));
    if (order.policy)
        MITRAL_CHECK(decode_policy(encode(*order.policy)));
    base::Bytes bytes = encode_body(order);
    if (bytes.size() + signature_size > max_order_size)
        return malformed("order is larger than a request can carry");
    MITRAL_TRY(const auto signature, base::ed25519_sign(key, signed_bytes(bytes)));
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return bytes;
}

base::Result<SignedOrder> parse_order(base::ByteView bytes) {
    if (bytes.size() > max_order_size || bytes.size() < signature_size)
        return malformed("order has an impossible size");
    SignedOrder result;
    result.body = bytes.first(bytes.size() - signature_size);
    std::copy_n(bytes.end() - signature_size, signature_size, result.signature.begin());

    base::ByteReader in(result.body);
    const auto start = in.take(magic.size());
    const auto kind = in.u8();
    const auto signer = in.u8();
    if (!start || base::as_text(*start) != magic || !kind || !signer || *kind < 1 || *kind > 7 ||
        *signer < 1 || *signer > 2)
        return malformed("order header does not parse");
    result.order.kind = static_cast<OrderKind>(*kind);
    result.order.signer = static_cast<Authority>(*signer);

    FieldReader fields(result.body.subspan(in.position()));
    while (const auto field = fields.next()) {
        if (field->tag == tag_policy) {
            MITRAL_TRY(result.order.policy, decode_policy(field->value));
        } else if (!read_field(*field, result.order)) {
            return malformed("order field does not parse");
        }
    }
    if (fields.malformed())
        return malformed("order does not parse");
    MITRAL_CHECK(check_shape(result.order));
    // One order, one encoding: a field that is there and says nothing would be a second one.
    if (!std::ranges::equal(encode_body(result.order), result.body))
        return malformed("order is not in its one encoding");
    return result;
}

base::Status verify_order(const SignedOrder& order, const base::Ed25519PublicKey& key) {
    if (!base::ed25519_verify(key, signed_bytes(order.body), order.signature))
        return base::fail(VaultError::order_not_authentic,
                          "signature is not the authority's over this order");
    return {};
}

}  // namespace mitral::vault
