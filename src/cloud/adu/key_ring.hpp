// Who signs the updates of this local Azure: a root of its own, made when it is first needed, and a
// signing key under it. Microsoft's roots cannot be had; a device trusts these instead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/adu/rsa_key.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::adu {

class KeyRing {
  public:
    // Private keys are files of mode 0600 in `directory`, which is made.
    KeyRing(store::Database& database, const base::Clock& clock, std::string directory)
        : database_(database), clock_(clock), directory_(std::move(directory)) {}

    // A JWS over {"sha256":"…"} of the manifest, as a device gets it: its header carries the
    // signing key ("sjwk"), itself a JWS of the root's.
    [[nodiscard]] base::Result<std::string> sign(std::string_view manifest);
    // What devices download as rootKeyPackageUrl, signed by every root, in the order of rootKeys.
    [[nodiscard]] base::Result<std::string> package();
    // {"kid":{"keyType":"RSA","n":"…","e":65537}}: what a device has to be built with.
    [[nodiscard]] base::Result<std::string> trusted_roots();

    // A new root signs from now on; the older ones stay valid until they are disabled.
    [[nodiscard]] base::Status rotate_root();
    // Fails with not_found, or invalid_argument for the root in use.
    [[nodiscard]] base::Status disable_root(std::string_view kid);
    // A new signing key; the older one is disabled.
    [[nodiscard]] base::Status rotate_signing_key();

  private:
    struct Root {
        std::string kid;
        RsaKey key;
    };
    struct Facts;

    [[nodiscard]] base::Status ensure();
    [[nodiscard]] base::Status load(const Facts& facts);
    [[nodiscard]] base::Result<Facts> facts() const;
    [[nodiscard]] base::Status remember(Facts facts);
    [[nodiscard]] base::Result<RsaKey> make(const std::string& name) const;
    [[nodiscard]] std::string file(const std::string& name) const;

    store::Database& database_;
    const base::Clock& clock_;
    std::string directory_;
    std::vector<Root> roots_;          // oldest first; the last one signs
    std::vector<RsaKey> signing_key_;  // none or one
    std::string signed_key_;           // the signing key as a JWS of the root
};

}  // namespace mitral::cloud::adu
