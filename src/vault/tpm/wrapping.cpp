#include "vault/tpm/wrapping.hpp"

#include "vault/errors.hpp"

namespace mitral::vault::tpm {
namespace {

base::Bytes copy(base::ByteView bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace

base::Bytes encode(const WrappingKey& key) {
    base::ByteWriter out;
    out.block16(key.storage_key).block16(key.generation.counter_name).u64(key.generation.value);
    return std::move(out).bytes();
}

base::Result<WrappingKey> decode_wrapping_key(base::ByteView bytes) {
    constexpr std::size_t name_size = 2 + 32;
    base::ByteReader in(bytes);
    const auto storage_key = in.block16();
    const auto name = in.block16();
    const auto value = in.u64();
    if (!storage_key || !name || name->size() != name_size || !value || !in.done())
        return base::fail(VaultError::malformed, "the TPM's part of the statement does not parse");
    return WrappingKey{copy(*storage_key), {copy(*name), *value}};
}

base::Result<base::Bytes> wrap(base::ByteView secret, base::ByteView wrapping_key) {
    MITRAL_TRY(const auto key, decode_wrapping_key(wrapping_key));
    const auto policy = key_policy(key.generation, Command::hmac);
    MITRAL_TRY(const auto duplicate, make_duplicate(secret, policy, key.storage_key));
    return encode(duplicate);
}

base::Bytes encode(const Duplicate& duplicate) {
    base::ByteWriter out;
    out.block16(duplicate.object).block16(duplicate.sensitive).block16(duplicate.seed);
    return std::move(out).bytes();
}

base::Result<Duplicate> decode_duplicate(base::ByteView blob) {
    base::ByteReader in(blob);
    const auto object = in.block16();
    const auto sensitive = in.block16();
    const auto seed = in.block16();
    if (!object || !sensitive || !seed || !in.done())
        return base::fail(VaultError::key_refused, "wrapped key does not parse");
    return Duplicate{copy(*object), copy(*sensitive), copy(*seed)};
}

}  // namespace mitral::vault::tpm
