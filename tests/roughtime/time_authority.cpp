#include "roughtime/time_authority.hpp"

#include <algorithm>
#include <vector>

namespace mitral::test {
namespace {

using base::Bytes;

std::uint32_t number_of(const std::string& tag) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < tag.size(); ++i)
        number |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(tag[i])) << (8 * i);
    return number;
}

void append(Bytes& out, base::ByteView more) {
    out.insert(out.end(), more.begin(), more.end());
}

Bytes hash(std::uint8_t prefix, base::ByteView first, base::ByteView second = {}) {
    Bytes input{prefix};
    append(input, first);
    append(input, second);
    const auto digest = base::sha512(input);
    return {digest.begin(), digest.begin() + 32};
}

Bytes sign(const base::Secret& key, std::string context, base::ByteView value) {
    context.push_back('\0');
    Bytes input = base::to_bytes(context);
    append(input, value);
    const auto signature = *base::ed25519_sign(key, input);
    return {signature.begin(), signature.end()};
}

Bytes nonce_of(base::ByteView request) {
    // "NONC" stands where this project's client puts it: VER, SRV, NONC.
    return {request.begin() + 12 + 40 + 8 + 32, request.begin() + 12 + 40 + 8 + 64};
}

}  // namespace

Bytes little_endian(std::uint64_t value, std::size_t size) {
    Bytes out;
    for (std::size_t i = 0; i < size; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return out;
}

Bytes roughtime_message(const RoughtimeFields& fields) {
    std::vector<std::pair<std::uint32_t, Bytes>> sorted;
    for (const auto& [tag, value] : fields)
        sorted.emplace_back(number_of(tag), value);
    std::sort(sorted.begin(), sorted.end());
    Bytes out = little_endian(sorted.size(), 4);
    std::size_t offset = 0;
    for (std::size_t i = 0; i + 1 < sorted.size(); ++i) {
        offset += sorted[i].second.size();
        append(out, little_endian(offset, 4));
    }
    for (const auto& field : sorted)
        append(out, little_endian(field.first, 4));
    for (const auto& field : sorted)
        append(out, field.second);
    return out;
}

Bytes roughtime_packet(base::ByteView message) {
    Bytes out = base::to_bytes("ROUGHTIM");
    append(out, little_endian(message.size(), 4));
    append(out, message);
    return out;
}

TimeAuthority::TimeAuthority()
    : long_term_(base::ed25519_new_key()),
      delegated_(base::ed25519_new_key()),
      public_key_(*base::ed25519_public_key(long_term_)) {}

Bytes TimeAuthority::answer(base::ByteView request, const TimeAnswer& plan) const {
    const auto online = *base::ed25519_public_key(delegated_);
    RoughtimeFields dele{{"MINT", little_endian(static_cast<std::uint64_t>(plan.not_before_s), 8)},
                         {"MAXT", little_endian(static_cast<std::uint64_t>(plan.not_after_s), 8)},
                         {"PUBK", {online.begin(), online.end()}}};
    if (plan.alter_delegation)
        plan.alter_delegation(dele);
    const auto dele_bytes = roughtime_message(dele);
    const auto cert = roughtime_message(
        {{"DELE", dele_bytes},
         {"SIG", sign(long_term_, "RoughTime v1 delegation signature", dele_bytes)}});

    Bytes node = hash(0, request);
    Bytes path;
    for (unsigned level = 0; level < plan.depth; ++level) {
        const Bytes sibling(32, static_cast<std::uint8_t>(0xa0 + level));
        append(path, sibling);
        node = (plan.leaf >> level & 1U) == 0 ? hash(1, node, sibling) : hash(1, sibling, node);
    }
    RoughtimeFields srep{{"VER", little_endian(plan.version, 4)},
                         {"RADI", little_endian(plan.radius_s, 4)},
                         {"MIDP", little_endian(static_cast<std::uint64_t>(plan.midpoint_s), 8)},
                         {"VERS", little_endian(plan.version, 4)},
                         {"ROOT", node}};
    if (plan.alter_response)
        plan.alter_response(srep);
    const auto srep_bytes = roughtime_message(srep);
    RoughtimeFields answer{{"SIG", sign(delegated_, "RoughTime v1 response signature", srep_bytes)},
                           {"NONC", nonce_of(request)},
                           {"TYPE", little_endian(1, 4)},
                           {"PATH", path},
                           {"SREP", srep_bytes},
                           {"CERT", cert},
                           {"INDX", little_endian(plan.leaf & ((1U << plan.depth) - 1), 4)}};
    if (plan.alter)
        plan.alter(answer);
    return roughtime_packet(roughtime_message(answer));
}

}  // namespace mitral::test
