#include "vault/module_key.hpp"

#include "base/crypto.hpp"

namespace mitral::vault {

base::Secret derive_module_key(base::ByteView device_key, std::string_view module) {
    constexpr std::string_view domain{"mitral module key 1\0", 20};
    base::ByteWriter label;
    label.text(domain).text(module);
    auto digest = base::hmac_sha256(device_key, label.bytes());
    base::Secret key{base::ByteView(digest)};
    base::wipe(digest);
    return key;
}

}  // namespace mitral::vault
