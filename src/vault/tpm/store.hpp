// Keys that live in a TPM 2.0. On disk: `custody`, the state with objects only this TPM opens; its
// digest stands in TPM NV, so that an older or foreign copy is noticed.
#pragma once

#include <memory>
#include <string>

#include "vault/keystore.hpp"
#include "vault/tpm/connection.hpp"
#include "vault/tpm/nv.hpp"

namespace mitral::vault::tpm {

class Store final : public KeyStore {
  public:
    // Connects now, to fail early; later the connection is made anew whenever the TPM was away.
    [[nodiscard]] static base::Result<std::unique_ptr<KeyStore>> open(const std::string& directory,
                                                                      const std::string& tcti);

    [[nodiscard]] std::string_view kind() const noexcept override { return "tpm"; }
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
    [[nodiscard]] base::Result<std::uint64_t> mint_count() override;
    [[nodiscard]] base::Status count_mint() override;
    [[nodiscard]] base::Result<base::P256PublicKey> attestation_key() override;
    [[nodiscard]] base::Result<base::P256Signature> sign_evidence(
        const base::Sha256Digest& digest) override;
    [[nodiscard]] base::Result<std::uint64_t> last_checkpoint() override;
    [[nodiscard]] base::Result<std::uint64_t> next_checkpoint() override;
    [[nodiscard]] base::Status wipe() override;

  private:
    struct Link {
        std::unique_ptr<Connection> tpm;
        NonVolatile nv;
    };

    Store(const std::string& directory, const std::string& tcti)
        : directory_(directory), tcti_(tcti) {}
    [[nodiscard]] base::Status connect();
    // The TPM must be the one this process began with.
    [[nodiscard]] base::Status recognise(const Connection& tpm);
    template <typename Use>
    [[nodiscard]] auto with_tpm(Use use) -> decltype(use(std::declval<Link&>()));
    [[nodiscard]] base::Result<StoredState> read_state(Link& link, const std::string& name);
    [[nodiscard]] std::string path(std::string_view name) const;

    std::string directory_;
    std::string tcti_;
    std::unique_ptr<Link> link_;
    base::Bytes known_;      // name of the first TPM's storage key
    bool replaced_ = false;  // told once in the log, until the right TPM is back
};

}  // namespace mitral::vault::tpm
