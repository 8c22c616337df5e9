// A bundle as a stranger writes it, and the same text signed by the authority itself: what stands
// behind the signature is parsed as well.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.hpp"
#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "net/trust.hpp"

using namespace mitral;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const base::Secret key = base::ed25519_new_key();
    static const auto authority = base::ed25519_public_key(key);
    std::string text(base::as_text({data, size}));
    if (net::open_trust_bundle(text, *authority))
        std::abort();
    if (!text.ends_with('\n'))
        text.push_back('\n');
    const auto signature = base::ed25519_sign(key, base::as_bytes(text));
    if (!signature)
        std::abort();
    text.append("signature: ").append(base::to_base64(*signature)).append("\n");
    const auto bundle = net::open_trust_bundle(text, *authority);
    if (bundle && (bundle->version == 0 || !bundle->roots_pem.starts_with("-----BEGIN ")))
        std::abort();
    return 0;
}
