// Keys in this process's memory and in files: for development builds, where no trust zone is at
// hand. Whoever reads the memory or the disk has the keys. Files: root.key (wraps everything else),
// custody (state), mints (counter), all 0600 in a 0700 directory.
#pragma once

#include <memory>
#include <string>

#include "base/secret.hpp"
#include "vault/keystore.hpp"

namespace mitral::vault::software {

class Store final : public KeyStore {
  public:
    [[nodiscard]] static base::Result<std::unique_ptr<KeyStore>> open(const std::string& directory);

    [[nodiscard]] std::string_view kind() const noexcept override { return "software"; }
    [[nodiscard]] std::string_view boundary() const noexcept override;
    [[nodiscard]] base::Result<base::Bytes> wrapping_key() override;
    [[nodiscard]] base::Result<base::Bytes> adopt(std::span<const WrappedKey> keys) override;
    [[nodiscard]] bool holds(base::ByteView slot, std::string_view module) const override;
    [[nodiscard]] base::Result<base::Sha256Digest> mac(base::ByteView slot, std::string_view module,
                                                       base::ByteView data) override;
    [[nodiscard]] base::Result<DataKey> new_data_key() override;
    [[nodiscard]] base::Result<base::Secret> open_data_key(base::ByteView wrapped) override;
    [[nodiscard]] base::Result<StoredState> load() override;
    [[nodiscard]] base::Status save(base::ByteView state, const Ratchet& ratchet) override;
    [[nodiscard]] base::Result<std::uint64_t> mint_count() override { return mints_; }
    [[nodiscard]] base::Status count_mint() override;
    [[nodiscard]] base::Result<base::P256PublicKey> attestation_key() override;
    [[nodiscard]] base::Result<base::P256Signature> sign_evidence(
        const base::Sha256Digest& digest) override;
    [[nodiscard]] base::Result<std::uint64_t> last_checkpoint() override;
    [[nodiscard]] base::Result<std::uint64_t> next_checkpoint() override;
    [[nodiscard]] base::Status wipe() override;

  private:
    explicit Store(const std::string& directory) : directory_(directory) {}
    [[nodiscard]] base::Status read_files();
    [[nodiscard]] base::Status read_attestation_key();
    [[nodiscard]] base::Status new_attestation_key(const std::string& path);
    [[nodiscard]] base::Result<std::uint64_t> read_count(const std::string& name) const;
    [[nodiscard]] base::Status new_root_key();
    [[nodiscard]] base::Result<base::Bytes> seal(std::string_view purpose, base::ByteView secret);
    [[nodiscard]] base::Result<base::Secret> unseal(std::string_view purpose,
                                                    base::ByteView sealed);
    [[nodiscard]] base::Result<const base::Secret*> device_key(base::ByteView slot);

    std::string directory_;
    base::Secret root_;
    std::uint64_t mints_ = 0;
    std::uint64_t checkpoints_ = 0;
    base::P256KeyPair attestation_;
    // The key in use stays here, as in any software key store.
    base::Bytes cached_slot_;
    base::Secret cached_key_;
};

}  // namespace mitral::vault::software
