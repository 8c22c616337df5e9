#include "vault/software/store.hpp"

#include <algorithm>
#include <utility>

#include "base/crypto.hpp"
#include "base/file.hpp"
#include "vault/errors.hpp"
#include "vault/module_key.hpp"
#include "vault/software/wrapping.hpp"

namespace mitral::vault::software {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t salt_size = 32;
constexpr std::size_t max_state = 64 * 1024;
constexpr std::string_view slot_purpose = "mitral software slot 1";
constexpr std::string_view data_purpose = "mitral software data key 1";

bool is_missing(const base::Error& error) {
    return error.code == std::errc::no_such_file_or_directory;
}

}  // namespace

std::string_view Store::boundary() const noexcept {
    return "development only: keys lie in the memory and on the disk of this unit, whoever reads "
           "either has them";
}

base::Result<std::unique_ptr<KeyStore>> Store::open(const std::string& directory) {
    MITRAL_CHECK(base::make_directory(directory, 0700));
    std::unique_ptr<Store> store(new Store(directory));
    MITRAL_CHECK(store->read_files());
    return store;
}

base::Status Store::read_files() {
    if (auto root = base::read_secret_file(directory_ + "/root.key", key_size)) {
        if (root->size() != key_size)
            return base::fail(VaultError::backend_failure, "root.key is damaged");
        root_ = std::move(*root);
    } else if (is_missing(root.error())) {
        MITRAL_CHECK(new_root_key());
    } else {
        return std::unexpected(root.error());
    }
    MITRAL_TRY(mints_, read_count("mints"));
    MITRAL_TRY(checkpoints_, read_count("checkpoints"));
    return read_attestation_key();
}

base::Result<std::uint64_t> Store::read_count(const std::string& name) const {
    const auto bytes = base::read_file(directory_ + "/" + name, 8);
    if (!bytes && is_missing(bytes.error()))
        return 0;
    if (!bytes)
        return std::unexpected(bytes.error());
    const auto count = base::ByteReader(*bytes).u64();
    if (!count)
        return base::fail(VaultError::backend_failure, "counter file " + name + " is damaged");
    return *count;
}

// secret (32) | public key (64)
base::Status Store::read_attestation_key() {
    const auto path = directory_ + "/attestation.key";
    constexpr std::size_t size = key_size + sizeof(base::P256PublicKey);
    const auto stored = base::read_secret_file(path, size);
    if (!stored && !is_missing(stored.error()))
        return std::unexpected(stored.error());
    if (!stored)
        return new_attestation_key(path);
    if (stored->size() != size)
        return base::fail(VaultError::backend_failure, "attestation.key is damaged");
    attestation_.secret = base::Secret(stored->view().first(key_size));
    const auto key = stored->view().subspan(key_size);
    std::copy(key.begin(), key.end(), attestation_.key.begin());
    return {};
}

base::Status Store::new_attestation_key(const std::string& path) {
    MITRAL_TRY(attestation_, base::p256_new_key());
    base::Secret fresh(key_size + attestation_.key.size());
    const auto secret = attestation_.secret.view();
    const auto at = std::copy(secret.begin(), secret.end(), fresh.bytes().begin());
    std::copy(attestation_.key.begin(), attestation_.key.end(), at);
    return base::replace_file(path, fresh.view(), 0600);
}

base::Status Store::new_root_key() {
    base::Secret fresh = new_wrapping_key();
    MITRAL_CHECK(base::replace_file(directory_ + "/root.key", fresh.view(), 0600));
    root_ = std::move(fresh);
    return {};
}

base::Result<base::Bytes> Store::wrapping_key() {
    MITRAL_TRY(const auto key, wrapping_public_key(root_));
    return base::Bytes(key.begin(), key.end());
}

// salt (32) | ciphertext and tag: each sealing has a key of its own, so the nonce may stand still.
base::Result<base::Bytes> Store::seal(std::string_view purpose, base::ByteView secret) {
    base::Bytes sealed(salt_size);
    base::fill_random(sealed);
    MITRAL_TRY(const auto key,
               base::hkdf_sha256(root_.view(), sealed, base::as_bytes(purpose), key_size));
    MITRAL_TRY(auto cipher, base::Aes256Gcm::create(key.view()));
    MITRAL_CHECK(cipher.seal({}, {}, secret, sealed));
    return sealed;
}

base::Result<base::Secret> Store::unseal(std::string_view purpose, base::ByteView sealed) {
    const auto refused = [] {
        return base::fail(VaultError::key_refused, "wrapped key does not open here");
    };
    if (sealed.size() <= salt_size + base::Aes256Gcm::tag_size || sealed.size() > 1024)
        return refused();
    MITRAL_TRY(const auto key, base::hkdf_sha256(root_.view(), sealed.first(salt_size),
                                                 base::as_bytes(purpose), key_size));
    MITRAL_TRY(auto cipher, base::Aes256Gcm::create(key.view()));
    base::Bytes plain;
    if (!cipher.open({}, {}, sealed.subspan(salt_size), plain))
        return refused();
    base::Secret secret{base::ByteView(plain)};
    base::wipe(plain);
    return secret;
}

// One key is enough: module keys are derived here.
base::Result<base::Bytes> Store::adopt(std::span<const WrappedKey> keys) {
    if (keys.size() != 1 || !keys.front().module.empty())
        return base::fail(VaultError::key_refused, "this back end takes the device's key alone");
    MITRAL_TRY(const auto key, unwrap(keys.front().blob, root_));
    return seal(slot_purpose, key.view());
}

bool Store::holds(base::ByteView slot, std::string_view) const {
    return !slot.empty();
}

base::Result<const base::Secret*> Store::device_key(base::ByteView slot) {
    if (!std::equal(slot.begin(), slot.end(), cached_slot_.begin(), cached_slot_.end())) {
        MITRAL_TRY(cached_key_, unseal(slot_purpose, slot));
        cached_slot_.assign(slot.begin(), slot.end());
    }
    return &cached_key_;
}

base::Result<base::Sha256Digest> Store::mac(base::ByteView slot, std::string_view module,
                                            base::ByteView data) {
    MITRAL_TRY(const base::Secret* key, device_key(slot));
    if (module.empty())
        return base::hmac_sha256(key->view(), data);
    return base::hmac_sha256(derive_module_key(key->view(), module).view(), data);
}

base::Result<DataKey> Store::new_data_key() {
    DataKey result{base::Secret(key_size), {}};
    base::fill_random(result.key.bytes());
    MITRAL_TRY(result.wrapped, seal(data_purpose, result.key.view()));
    return result;
}

base::Result<base::Secret> Store::open_data_key(base::ByteView wrapped) {
    return unseal(data_purpose, wrapped);
}

base::Result<StoredState> Store::load() {
    auto state = base::read_file(directory_ + "/custody", max_state);
    if (state)
        return StoredState{std::move(*state), true, {}};
    if (is_missing(state.error()))
        return StoredState{};
    return std::unexpected(state.error());
}

base::Status Store::save(base::ByteView state, const Ratchet&) {
    return base::replace_file(directory_ + "/custody", state, 0600);
}

base::Status Store::count_mint() {
    MITRAL_CHECK(base::replace_file(directory_ + "/mints",
                                    base::ByteWriter().u64(mints_ + 1).bytes(), 0600));
    ++mints_;
    return {};
}

base::Result<base::P256PublicKey> Store::attestation_key() {
    return attestation_.key;
}

base::Result<base::P256Signature> Store::sign_evidence(const base::Sha256Digest& digest) {
    return base::p256_sign(attestation_, digest);
}

base::Result<std::uint64_t> Store::last_checkpoint() {
    return checkpoints_;
}

base::Result<std::uint64_t> Store::next_checkpoint() {
    MITRAL_CHECK(base::replace_file(directory_ + "/checkpoints",
                                    base::ByteWriter().u64(checkpoints_ + 1).bytes(), 0600));
    return ++checkpoints_;
}

base::Status Store::wipe() {
    MITRAL_CHECK(new_root_key());
    cached_key_ = base::Secret();
    cached_slot_.clear();
    return {};
}

}  // namespace mitral::vault::software
