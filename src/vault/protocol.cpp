#include "vault/protocol.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "attest/evidence.h"

namespace mitral::vault {
namespace {

constexpr std::array<std::pair<Operation, std::string_view>, last_operation> operation_names{{
    {Operation::mint_hub, "mint-hub"},
    {Operation::mint_registration, "mint-registration"},
    {Operation::new_data_key, "new-data-key"},
    {Operation::open_data_key, "open-data-key"},
    {Operation::status, "status"},
    {Operation::begin_provisioning, "begin-provisioning"},
    {Operation::execute_order, "execute-order"},
    {Operation::pseudonym, "pseudonym"},
    {Operation::begin_time, "begin-time"},
    {Operation::take_time, "take-time"},
    {Operation::checkpoint, "checkpoint"},
    {Operation::attest, "attest"},
}};

auto malformed() {
    return base::fail(VaultError::malformed, "request does not parse");
}

base::Result<base::Seconds> read_lifetime(base::ByteReader& in) {
    const auto lifetime = in.u64();
    if (!lifetime)
        return malformed();
    return base::Seconds(static_cast<std::int64_t>(*lifetime));
}

base::Status read_body(base::ByteReader& in, Request& request) {
    switch (request.operation) {
        case Operation::mint_hub: {
            const auto hub = in.text16();
            const auto module = in.text16();
            if (!hub || !module)
                return malformed();
            request.hub = *hub;
            request.module_id = *module;
            MITRAL_TRY(request.lifetime, read_lifetime(in));
            return {};
        }
        case Operation::mint_registration: {
            MITRAL_TRY(request.lifetime, read_lifetime(in));
            return {};
        }
        case Operation::open_data_key:
        case Operation::execute_order:
        case Operation::take_time:
        case Operation::checkpoint: {
            const auto blob = in.block16();
            if (!blob)
                return malformed();
            request.blob.assign(blob->begin(), blob->end());
            return {};
        }
        case Operation::attest: {
            const auto nonce = in.take(EVIDENCE_NONCE_SIZE);
            if (!nonce)
                return malformed();
            request.blob.assign(nonce->begin(), nonce->end());
            return {};
        }
        case Operation::pseudonym: {
            const auto id = in.text16();
            const auto authority = in.text16();
            if (!id || !authority)
                return malformed();
            request.patient = {std::string(*id), std::string(*authority)};
            return is_nameable(request.patient) ? base::Status{} : malformed();
        }
        case Operation::new_data_key:
        case Operation::status:
        case Operation::begin_provisioning:
        case Operation::begin_time:
            return {};
    }
    return malformed();
}

}  // namespace

std::string_view to_string(Operation operation) noexcept {
    for (const auto& [value, name] : operation_names)
        if (value == operation)
            return name;
    return "unknown";
}

std::optional<Operation> operation_named(std::string_view name) noexcept {
    for (const auto& [value, known] : operation_names)
        if (known == name)
            return value;
    return std::nullopt;
}

base::Bytes encode(const Request& request) {
    base::ByteWriter out;
    out.u8(protocol_version).u8(static_cast<std::uint8_t>(request.operation));
    switch (request.operation) {
        case Operation::mint_hub:
            out.text16(request.hub).text16(request.module_id);
            out.u64(static_cast<std::uint64_t>(request.lifetime.count()));
            break;
        case Operation::mint_registration:
            out.u64(static_cast<std::uint64_t>(request.lifetime.count()));
            break;
        case Operation::open_data_key:
        case Operation::execute_order:
        case Operation::take_time:
        case Operation::checkpoint:
            out.block16(request.blob);
            break;
        case Operation::attest:
            out.raw(request.blob);
            break;
        case Operation::pseudonym:
            out.text16(request.patient.id).text16(request.patient.authority);
            break;
        case Operation::new_data_key:
        case Operation::status:
        case Operation::begin_provisioning:
        case Operation::begin_time:
            break;
    }
    return std::move(out).bytes();
}

base::Result<Request> decode_request(base::ByteView datagram) {
    base::ByteReader in(datagram);
    const auto version = in.u8();
    const auto operation = in.u8();
    if (datagram.size() > max_message || !version || *version != protocol_version || !operation ||
        *operation < 1 || *operation > last_operation)
        return malformed();
    Request request;
    request.operation = static_cast<Operation>(*operation);
    MITRAL_CHECK(read_body(in, request));
    if (!in.done())
        return malformed();
    return request;
}

}  // namespace mitral::vault
