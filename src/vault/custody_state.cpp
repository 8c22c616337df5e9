#include "vault/custody_state.hpp"

#include <algorithm>

#include "vault/errors.hpp"
#include "vault/tlv.hpp"

namespace mitral::vault {
namespace {

constexpr std::string_view magic = "MVC1";

enum StateTag : std::uint8_t {
    tag_state = 1,
    tag_floor = 2,
    tag_counter = 3,
    tag_registration_id = 4,
    tag_station_key = 5,
    tag_policy = 6,
    tag_active = 7,
    tag_pending = 8,
    tag_subject = 9,
};

bool read_field(const Field& field, CustodyState& state) {
    switch (field.tag) {
        case tag_state:
            if (field.value.size() != 1 || field.value[0] > 3)
                return false;
            state.state = static_cast<VaultState>(field.value[0]);
            return true;
        case tag_floor:
            state.ratchet.time_floor_s =
                static_cast<std::int64_t>(field_u64(field.value).value_or(0));
            return true;
        case tag_counter:
            state.ratchet.order_counter = field_u64(field.value).value_or(0);
            return true;
        case tag_registration_id:
            state.registration_id = base::as_text(field.value);
            return true;
        case tag_station_key:
            if (field.value.size() != base::Ed25519PublicKey{}.size())
                return false;
            state.station_key.emplace();
            std::copy(field.value.begin(), field.value.end(), state.station_key->begin());
            return true;
        case tag_policy: {
            auto policy = decode_policy(field.value);
            if (!policy)
                return false;
            state.policy = std::move(*policy);
            return true;
        }
        case tag_active:
            state.active.assign(field.value.begin(), field.value.end());
            return true;
        case tag_pending:
            state.pending.assign(field.value.begin(), field.value.end());
            return true;
        case tag_subject:
            state.subject.assign(field.value.begin(), field.value.end());
            return true;
        default:
            return false;
    }
}

bool is_consistent(const CustodyState& state) {
    const bool has_identity =
        state.state == VaultState::ready || state.state == VaultState::quarantined;
    const bool complete = state.station_key && state.policy && !state.active.empty() &&
                          !state.registration_id.empty();
    return has_identity == complete &&
           (has_identity || (state.pending.empty() && state.subject.empty()));
}

}  // namespace

base::Bytes encode(const CustodyState& state) {
    base::ByteWriter out;
    out.text(magic);
    const std::uint8_t number = static_cast<std::uint8_t>(state.state);
    put_field(out, tag_state, base::ByteView(&number, 1));
    put_field(out, tag_floor, static_cast<std::uint64_t>(state.ratchet.time_floor_s));
    put_field(out, tag_counter, state.ratchet.order_counter);
    put_field(out, tag_registration_id, state.registration_id);
    if (state.station_key)
        put_field(out, tag_station_key, base::ByteView(*state.station_key));
    if (state.policy)
        put_field(out, tag_policy, encode(*state.policy));
    put_field(out, tag_active, state.active);
    put_field(out, tag_pending, state.pending);
    if (!state.subject.empty())
        put_field(out, tag_subject, state.subject);
    return std::move(out).bytes();
}

base::Result<CustodyState> decode_state(base::ByteView bytes) {
    CustodyState state;
    base::ByteReader in(bytes);
    const auto start = in.take(magic.size());
    if (!start || base::as_text(*start) != magic)
        return base::fail(VaultError::backend_failure, "vault state file is not one");
    FieldReader fields(bytes.subspan(magic.size()));
    while (const auto field = fields.next())
        if (!read_field(*field, state))
            return base::fail(VaultError::backend_failure, "vault state file does not parse");
    if (fields.malformed() || !is_consistent(state))
        return base::fail(VaultError::backend_failure, "vault state file is damaged");
    return state;
}

}  // namespace mitral::vault
