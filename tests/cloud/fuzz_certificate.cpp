// Certificates as administrators hand them in and clients show them. What is read must read again
// as the same, and nothing is believed that no authority signed.
#include <cstdlib>

#include "base/bytes.hpp"
#include "base/encoding.hpp"
#include "cloud/tls/client_certificate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mitral::cloud;
    constexpr mitral::base::WallTime now{1'790'000'000'000};
    const mitral::base::Bytes shown(data, data + size);
    (void)tls::common_name(shown);
    (void)tls::check_dates(shown, now);
    if (tls::has_thumbprint(shown, "") || tls::check_chain(std::span(&shown, 1), {}, now))
        std::abort();
    const auto thumbprint = tls::sha256_thumbprint(shown);
    if (!thumbprint.empty() && !tls::has_thumbprint(shown, thumbprint))
        std::abort();
    if (const auto facts = tls::read_certificate(mitral::base::as_text(shown))) {
        const auto again = tls::read_certificate(facts->pem);
        if (!again || again->sha256 != facts->sha256 || again->subject != facts->subject)
            std::abort();
        (void)tls::check_chain(std::span(&shown, 1), {facts->pem}, now);
    }
    return 0;
}
