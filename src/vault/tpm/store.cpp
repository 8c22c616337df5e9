#include "vault/tpm/store.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/file.hpp"
#include "base/log.hpp"
#include "vault/errors.hpp"
#include "vault/tpm/attestation.hpp"
#include "vault/tpm/objects.hpp"
#include "vault/tpm/wrapping.hpp"

namespace mitral::vault::tpm {
namespace {

constexpr std::size_t max_state = 64 * 1024;

// A slot is module name and object, one after the other.

std::optional<base::ByteView> find_object(base::ByteView slot, std::string_view module) {
    base::ByteReader in(slot);
    while (!in.done()) {
        const auto name = in.text16();
        const auto object = in.block16();
        if (!name || !object)
            return std::nullopt;
        if (*name == module)
            return object;
    }
    return std::nullopt;
}

bool is_missing(const base::Error& error) {
    return error.code == std::errc::no_such_file_or_directory;
}

}  // namespace

std::string_view Store::boundary() const noexcept {
    return "keys stay in the TPM and a wipe voids them even on a copied disk; the rules for tokens "
           "are "
           "kept by the vault process: root, or whoever else opens the TPM device, can have it "
           "authenticate other bytes while the unit runs";
}

base::Result<std::unique_ptr<KeyStore>> Store::open(const std::string& directory,
                                                    const std::string& tcti) {
    MITRAL_CHECK(base::make_directory(directory, 0700));
    std::unique_ptr<Store> store(new Store(directory, tcti));
    MITRAL_CHECK(store->connect());
    return store;
}

base::Status Store::connect() {
    if (link_)
        return {};
    MITRAL_TRY(auto tpm, Connection::open(tcti_));
    MITRAL_CHECK(recognise(*tpm));
    // Later a TPM without our indices is none of ours: nothing is made there.
    MITRAL_TRY(const auto nv, known_.empty() ? NonVolatile::open(*tpm) : NonVolatile::reopen(*tpm));
    known_ = tpm->primary_name();
    link_ = std::make_unique<Link>(Link{std::move(tpm), nv});
    return {};
}

// The custody rules were loaded from the first TPM, so they hold for no other one: with another,
// data keys would be made for whoever put it there. A sound replacement begins with a restart.
base::Status Store::recognise(const Connection& tpm) {
    if (known_.empty() || tpm.primary_name() == known_) {
        replaced_ = false;
        return {};
    }
    if (!std::exchange(replaced_, true))
        base::log_security("tpm-replaced",
                           {{"tcti", tcti_},
                            {"done", "it is not used"},
                            {"remedy",
                             "look at the unit; after a repair restart mitral-vault and provision "
                             "again"}});
    return base::fail(VaultError::backend_failure,
                      "another TPM answers than at the start: it is not used");
}

// After a reset or a broken connection everything is set up again and the command is given once
// more; all of ours may be repeated (a counter then skips a number, which is no harm).
template <typename Use>
auto Store::with_tpm(Use use) -> decltype(use(std::declval<Link&>())) {
    for (bool retried = false;; retried = true) {
        if (auto connected = connect(); !connected)
            return std::unexpected(connected.error());
        auto result = use(*link_);
        if (result || result.error().code != VaultError::backend_unavailable)
            return result;
        link_.reset();
        if (retried)
            return result;
    }
}

base::Result<base::Bytes> Store::wrapping_key() {
    return with_tpm([](Link& link) -> base::Result<base::Bytes> {
        MITRAL_TRY(auto generation, link.nv.generation(*link.tpm));
        return encode(WrappingKey{link.tpm->primary_public(), std::move(generation)});
    });
}

base::Result<base::Bytes> Store::adopt(std::span<const WrappedKey> keys) {
    return with_tpm([keys](Link& link) -> base::Result<base::Bytes> {
        base::ByteWriter slot;
        for (const auto& key : keys) {
            MITRAL_TRY(const auto object, import_hmac_key(*link.tpm, link.nv, key.blob));
            slot.text16(key.module).block16(encode(object));
        }
        return std::move(slot).bytes();
    });
}

bool Store::holds(base::ByteView slot, std::string_view module) const {
    return find_object(slot, module).has_value();
}

base::Result<base::Sha256Digest> Store::mac(base::ByteView slot, std::string_view module,
                                            base::ByteView data) {
    const auto found = find_object(slot, module);
    if (!found)
        return base::fail(VaultError::key_refused, "no key of that name in this slot");
    MITRAL_TRY(const auto object, decode_object(*found));
    return with_tpm([&](Link& link) { return hmac(*link.tpm, link.nv, object, data); });
}

base::Result<DataKey> Store::new_data_key() {
    return with_tpm([](Link& link) -> base::Result<DataKey> {
        MITRAL_TRY(auto key, random_key(*link.tpm));
        MITRAL_TRY(const auto object, seal(*link.tpm, link.nv, key));
        return DataKey{std::move(key), encode(object)};
    });
}

base::Result<base::Secret> Store::open_data_key(base::ByteView wrapped) {
    MITRAL_TRY(const auto object, decode_object(wrapped));
    return with_tpm([&](Link& link) { return unseal(*link.tpm, link.nv, object); });
}

std::string Store::path(std::string_view name) const {
    return directory_ + "/" + std::string(name);
}

// The file: name of the storage key it belongs to, then the state.
base::Result<StoredState> Store::read_state(Link& link, const std::string& name) {
    MITRAL_TRY(const auto record, link.nv.read_record(*link.tpm));
    StoredState result{{}, false, record.ratchet};
    const bool never_saved = record.state_digest == base::Sha256Digest{};
    auto file = base::read_file(path(name), max_state);
    if (!file && !is_missing(file.error()))
        return std::unexpected(file.error());
    if (!file) {
        result.authentic = never_saved;
        return result;
    }
    base::ByteReader in(*file);
    const auto parent = in.block16();
    const auto state = in.block32();
    const auto& ours = link.tpm->primary_name();
    if (never_saved || !state || !in.done() || base::sha256(*file) != record.state_digest ||
        !std::equal(parent->begin(), parent->end(), ours.begin(), ours.end()))
        return result;
    result.authentic = true;
    result.state.assign(state->begin(), state->end());
    return result;
}

base::Result<StoredState> Store::load() {
    return with_tpm([this](Link& link) -> base::Result<StoredState> {
        MITRAL_TRY(auto current, read_state(link, "custody"));
        if (current.authentic)
            return current;
        // A stop between the record in the TPM and the rename of save().
        MITRAL_TRY(auto next, read_state(link, "custody.next"));
        if (!next.authentic || next.state.empty())
            return current;
        if (std::rename(path("custody.next").c_str(), path("custody").c_str()) != 0)
            return base::fail_errno("take over the saved vault state");
        MITRAL_CHECK(base::sync_directory(directory_));
        return next;
    });
}

base::Status Store::save(base::ByteView state, const Ratchet& ratchet) {
    return with_tpm([&](Link& link) -> base::Status {
        base::ByteWriter file;
        file.block16(link.tpm->primary_name()).block32(state);
        MITRAL_CHECK(base::replace_file(path("custody.next"), file.bytes(), 0600));
        MITRAL_TRY(auto record, link.nv.read_record(*link.tpm));
        record.ratchet = ratchet;
        record.state_digest = base::sha256(file.bytes());
        MITRAL_CHECK(link.nv.write_record(*link.tpm, record));
        if (std::rename(path("custody.next").c_str(), path("custody").c_str()) != 0)
            return base::fail_errno("replace the vault state");
        return base::sync_directory(directory_);
    });
}

base::Result<std::uint64_t> Store::mint_count() {
    return with_tpm([](Link& link) -> base::Result<std::uint64_t> {
        MITRAL_TRY(const auto now, link.nv.mints(*link.tpm));
        MITRAL_TRY(const auto record, link.nv.read_record(*link.tpm));
        return now - std::min(now, record.mint_base);
    });
}

base::Status Store::count_mint() {
    return with_tpm([](Link& link) { return link.nv.count_mint(*link.tpm); });
}

base::Result<base::P256PublicKey> Store::attestation_key() {
    return with_tpm([](Link& link) { return tpm::attestation_key(*link.tpm); });
}

base::Result<base::P256Signature> Store::sign_evidence(const base::Sha256Digest& digest) {
    return with_tpm([&digest](Link& link) { return tpm::sign_evidence(*link.tpm, digest); });
}

base::Result<std::uint64_t> Store::last_checkpoint() {
    return with_tpm([](Link& link) { return link.nv.checkpoints(*link.tpm); });
}

base::Result<std::uint64_t> Store::next_checkpoint() {
    return with_tpm([](Link& link) -> base::Result<std::uint64_t> {
        MITRAL_CHECK(link.nv.count_checkpoint(*link.tpm));
        return link.nv.checkpoints(*link.tpm);
    });
}

base::Status Store::wipe() {
    return with_tpm([](Link& link) { return link.nv.next_generation(*link.tpm); });
}

}  // namespace mitral::vault::tpm
