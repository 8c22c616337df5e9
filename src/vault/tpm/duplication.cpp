#include "vault/tpm/duplication.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>

#include "vault/errors.hpp"

namespace mitral::vault::tpm {
namespace {

// TPM 2.0 Part 2: 6.3 (algorithms), 6.4 (curves), 8.3.2 (object attributes)
constexpr std::uint16_t alg_aes = 0x0006;
constexpr std::uint16_t alg_hmac = 0x0005;
constexpr std::uint16_t alg_keyedhash = 0x0008;
constexpr std::uint16_t alg_sha256 = 0x000B;
constexpr std::uint16_t alg_null = 0x0010;
constexpr std::uint16_t alg_ecc = 0x0023;
constexpr std::uint16_t alg_cfb = 0x0043;
constexpr std::uint16_t curve_p256 = 0x0003;
constexpr std::uint32_t attribute_fixed_tpm = 1U << 1;
constexpr std::uint32_t attribute_fixed_parent = 1U << 4;
constexpr std::uint32_t attribute_admin_with_policy = 1U << 7;
constexpr std::uint32_t attribute_no_da = 1U << 10;
constexpr std::uint32_t attribute_restricted = 1U << 16;
constexpr std::uint32_t attribute_decrypt = 1U << 17;
constexpr std::uint32_t attribute_sign = 1U << 18;

constexpr std::size_t coordinate_size = 32;
constexpr std::size_t max_secret = 64;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using Coordinate = std::array<std::uint8_t, coordinate_size>;

struct Point {
    Coordinate x{};
    Coordinate y{};
};

auto bad_parent() {
    return base::fail(VaultError::key_refused,
                      "the statement's storage key is not one Mitral wraps for");
}
auto crypto_failed() {
    return base::fail(VaultError::backend_failure, "the crypto library refused to wrap a key");
}

bool read_coordinate(base::ByteReader& in, Coordinate& out) {
    const auto bytes = in.block16();
    if (!bytes || bytes->size() > out.size())
        return false;
    std::copy_backward(bytes->begin(), bytes->end(), out.end());  // left-padded with zeros
    return true;
}

// TPMT_PUBLIC, Part 2, 12.2.4
base::Result<Point> parse_parent(base::ByteView parent) {
    base::ByteReader in(parent);
    const auto type = in.u16();
    const auto name_algorithm = in.u16();
    const auto attributes = in.u32();
    const auto policy = in.block16();
    const auto cipher = in.u16();
    const auto bits = in.u16();
    const auto mode = in.u16();
    const auto scheme = in.u16();
    const auto curve = in.u16();
    const auto kdf = in.u16();
    Point point;
    if (!policy || !kdf || !read_coordinate(in, point.x) || !read_coordinate(in, point.y) ||
        !in.done())
        return bad_parent();
    constexpr std::uint32_t needed =
        attribute_fixed_tpm | attribute_fixed_parent | attribute_restricted | attribute_decrypt;
    const bool fits = *type == alg_ecc && *name_algorithm == alg_sha256 &&
                      (*attributes & needed) == needed && (*attributes & attribute_sign) == 0 &&
                      *cipher == alg_aes && *bits == 128 && *mode == alg_cfb &&
                      *scheme == alg_null && *curve == curve_p256 && *kdf == alg_null;
    if (!fits)
        return bad_parent();
    return point;
}

// OpenSSL checks that the point lies on the curve.
Key public_key(const Point& point) {
    std::array<std::uint8_t, 1 + 2 * coordinate_size> uncompressed{4};
    std::copy(point.x.begin(), point.x.end(), uncompressed.begin() + 1);
    std::copy(point.y.begin(), point.y.end(), uncompressed.begin() + 1 + coordinate_size);
    std::array<char, 6> group{"P-256"};
    const std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, uncompressed.data(),
                                          uncompressed.size()),
        OSSL_PARAM_construct_end()};
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
    EVP_PKEY* key = nullptr;
    if (context && EVP_PKEY_fromdata_init(context.get()) == 1)
        (void)EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                                const_cast<OSSL_PARAM*>(parameters.data()));
    return {key, EVP_PKEY_free};
}

base::Result<Point> coordinates_of(EVP_PKEY* key) {
    std::array<std::uint8_t, 1 + 2 * coordinate_size> raw{};
    std::size_t size = 0;
    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, raw.data(), raw.size(),
                                        &size) != 1 ||
        size != raw.size() || raw[0] != 4)
        return crypto_failed();
    Point point;
    std::copy_n(raw.begin() + 1, coordinate_size, point.x.begin());
    std::copy_n(raw.begin() + 1 + coordinate_size, coordinate_size, point.y.begin());
    return point;
}

// The shared point's x coordinate, padded to the field's size.
base::Result<base::Secret> agree(EVP_PKEY* own, EVP_PKEY* peer) {
    const KeyContext context(EVP_PKEY_CTX_new(own, nullptr), EVP_PKEY_CTX_free);
    base::Secret z(coordinate_size);
    std::size_t size = z.size();
    if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
        EVP_PKEY_derive(context.get(), z.bytes().data(), &size) != 1 || size != z.size())
        return crypto_failed();
    return z;
}

// Part 1, 11.4.3: CFB, full block, zero IV.
base::Result<base::Bytes> encrypt_cfb(const base::Secret& key, base::ByteView plain) {
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const std::array<std::uint8_t, 16> zero_iv{};
    base::Bytes out(plain.size());
    int size = 0;
    if (!context ||
        EVP_EncryptInit_ex2(context.get(), EVP_aes_128_cfb128(), key.view().data(), zero_iv.data(),
                            nullptr) != 1 ||
        EVP_EncryptUpdate(context.get(), out.data(), &size, plain.data(),
                          static_cast<int>(plain.size())) != 1 ||
        static_cast<std::size_t>(size) != out.size())
        return crypto_failed();
    return out;
}

// TPM2B_SENSITIVE (Part 2, 12.3.2.4) without authorisation value.
base::Secret marshal_sensitive(base::ByteView secret, base::ByteView seed) {
    const auto put16 = [](base::MutableByteView& out, std::size_t value) {
        out[0] = static_cast<std::uint8_t>(value >> 8);
        out[1] = static_cast<std::uint8_t>(value);
        out = out.subspan(2);
    };
    const std::size_t inner = 2 + 2 + 2 + seed.size() + 2 + secret.size();
    base::Secret bytes(2 + inner);
    base::MutableByteView out = bytes.bytes();
    put16(out, inner);
    put16(out, alg_keyedhash);
    put16(out, 0);
    put16(out, seed.size());
    out = out.subspan(
        static_cast<std::size_t>(std::copy(seed.begin(), seed.end(), out.begin()) - out.begin()));
    put16(out, secret.size());
    std::copy(secret.begin(), secret.end(), out.begin());
    return bytes;
}

// Part 2, 12.2.3.2: what ties the public area of a keyed hash to its secret.
base::Sha256Digest unique_of(base::ByteView seed, base::ByteView secret) {
    base::Secret joined(seed.size() + secret.size());
    std::copy(seed.begin(), seed.end(), joined.bytes().begin());
    std::copy(secret.begin(), secret.end(),
              joined.bytes().begin() + static_cast<std::ptrdiff_t>(seed.size()));
    return base::sha256(joined.view());
}

base::Bytes name_of(base::ByteView object) {
    base::ByteWriter name;
    name.u16(alg_sha256).raw(base::sha256(object));
    return std::move(name).bytes();
}

struct Seed {
    base::Secret value;
    base::Bytes point;  // TPMS_ECC_POINT
};

base::Result<Seed> make_seed(const Point& parent) {
    const Key parent_key = public_key(parent);
    if (!parent_key)
        return bad_parent();
    const Key ephemeral(EVP_EC_gen("P-256"), EVP_PKEY_free);
    if (!ephemeral)
        return crypto_failed();
    MITRAL_TRY(const auto point, coordinates_of(ephemeral.get()));
    MITRAL_TRY(const auto z, agree(ephemeral.get(), parent_key.get()));
    base::ByteWriter out;
    out.block16(point.x).block16(point.y);
    return Seed{kdf_e(z.view(), "DUPLICATE", point.x, parent.x, 256), std::move(out).bytes()};
}

}  // namespace

base::Secret kdf_a(base::ByteView key, std::string_view label, base::ByteView context_u,
                   base::ByteView context_v, std::uint32_t bits) {
    base::ByteWriter input;
    input.u32(1).text(label).u8(0).raw(context_u).raw(context_v).u32(bits);
    auto digest = base::hmac_sha256(key, input.bytes());
    base::Secret result{base::ByteView(digest).first(bits / 8)};
    base::wipe(digest);
    return result;
}

base::Secret kdf_e(base::ByteView z, std::string_view use, base::ByteView party_u,
                   base::ByteView party_v, std::uint32_t bits) {
    base::ByteWriter input;
    input.u32(1).raw(z).text(use).u8(0).raw(party_u).raw(party_v);
    auto bytes = std::move(input).bytes();
    auto digest = base::sha256(bytes);
    base::wipe(bytes);
    base::Secret result{base::ByteView(digest).first(bits / 8)};
    base::wipe(digest);
    return result;
}

base::Bytes hmac_key_public(const base::Sha256Digest& policy, const base::Sha256Digest& unique) {
    base::ByteWriter out;
    out.u16(alg_keyedhash).u16(alg_sha256);
    out.u32(attribute_sign | attribute_admin_with_policy | attribute_no_da);
    out.block16(policy).u16(alg_hmac).u16(alg_sha256).block16(unique);
    return std::move(out).bytes();
}

base::Result<Duplicate> make_duplicate(base::ByteView secret, const base::Sha256Digest& policy,
                                       base::ByteView parent) {
    if (secret.empty() || secret.size() > max_secret)
        return base::fail(VaultError::key_refused, "a key has 1 to 64 bytes");
    MITRAL_TRY(const auto parent_point, parse_parent(parent));
    MITRAL_TRY(auto seed, make_seed(parent_point));

    base::Secret obfuscation(coordinate_size);
    base::fill_random(obfuscation.bytes());
    Duplicate result;
    result.object = hmac_key_public(policy, unique_of(obfuscation.view(), secret));
    const auto name = name_of(result.object);

    const auto cipher_key = kdf_a(seed.value.view(), "STORAGE", name, {}, 128);
    const auto sensitive = marshal_sensitive(secret, obfuscation.view());
    MITRAL_TRY(const auto encrypted, encrypt_cfb(cipher_key, sensitive.view()));

    const auto integrity_key = kdf_a(seed.value.view(), "INTEGRITY", {}, {}, 256);
    base::ByteWriter covered;
    covered.raw(encrypted).raw(name);
    base::ByteWriter out;
    out.block16(base::hmac_sha256(integrity_key.view(), covered.bytes())).raw(encrypted);
    result.sensitive = std::move(out).bytes();
    result.seed = std::move(seed.point);
    return result;
}

}  // namespace mitral::vault::tpm
