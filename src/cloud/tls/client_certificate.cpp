#include "cloud/tls/client_certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/crypto.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/tls/x509.hpp"

namespace mitral::cloud::tls {
namespace {

using Bio = std::unique_ptr<BIO, base::Deleter<BIO_free_all>>;
using Store = std::unique_ptr<X509_STORE, base::Deleter<X509_STORE_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, base::Deleter<X509_STORE_CTX_free>>;
using Text = std::unique_ptr<BIGNUM, base::Deleter<BN_free>>;

struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_pop_free(stack, X509_free); }
};
using Stack = std::unique_ptr<STACK_OF(X509), FreeStack>;

constexpr int max_depth = 8;       // intermediates between a client and its authority
constexpr int security_level = 2;  // 112 bits

auto refused(std::string reason) {
    ERR_clear_error();
    return base::fail(CloudError::not_authorised, std::move(reason));
}

Certificate parse_der(base::ByteView der) {
    const auto* cursor = der.data();
    Certificate certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
    ERR_clear_error();
    return cursor == der.data() + der.size() ? std::move(certificate) : nullptr;
}

Certificate parse_pem(std::string_view pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)
                                : nullptr);
    ERR_clear_error();
    return certificate;
}

std::string thumbprint(const X509* certificate, const EVP_MD* kind) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (X509_digest(certificate, kind, digest.data(), &size) != 1)
        return {};
    auto hex = base::to_hex(base::ByteView(digest).first(size));
    for (auto& c : hex)
        if (c >= 'a' && c <= 'f')
            c = static_cast<char>(c - 'a' + 'A');
    return hex;
}

std::string shown(const X509_NAME* name) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0)
        return {};
    const char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string serial_of(const X509* certificate) {
    const Text number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
    if (!number)
        return {};
    base::Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return base::to_hex(bytes);
}

base::Result<base::WallTime> time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return base::fail(CloudError::invalid_argument, "a date of the certificate is unreadable");
    return base::WallTime{static_cast<std::int64_t>(timegm(&parts)) * 1000};
}

Certificate parse_text(std::string_view text) {
    if (text.find("-----BEGIN") != std::string_view::npos)
        return parse_pem(text);
    const auto der = base::from_base64(text);
    return der ? parse_der(*der) : nullptr;
}

base::Result<Store> store_of(std::span<const std::string> authorities) {
    Store store(X509_STORE_new());
    for (const auto& pem : authorities) {
        const auto authority = parse_pem(pem);
        if (!store || !authority || X509_STORE_add_cert(store.get(), authority.get()) != 1)
            return refused("an authority is unreadable");
    }
    return store;
}

base::Result<Stack> stack_of(std::span<const base::Bytes> certificates) {
    Stack stack(sk_X509_new_null());
    for (const auto& der : certificates) {
        auto certificate = parse_der(der);
        if (!stack || !certificate || sk_X509_push(stack.get(), certificate.get()) <= 0)
            return refused("a certificate of the chain is unreadable");
        (void)certificate.release();
    }
    return stack;
}

base::Result<int> verify(std::span<const base::Bytes> chain,
                         std::span<const std::string> authorities, base::WallTime now) {
    const auto leaf = chain.empty() ? nullptr : parse_der(chain.front());
    if (!leaf)
        return refused("the certificate is unreadable");
    MITRAL_TRY(const auto store, store_of(authorities));
    MITRAL_TRY(const auto others, stack_of(chain.subspan(1)));
    const Verification verification(X509_STORE_CTX_new());
    if (!verification ||
        X509_STORE_CTX_init(verification.get(), store.get(), leaf.get(), others.get()) != 1)
        return base::fail(CloudError::certificate, "prepare the check of a certificate");
    auto* rules = X509_STORE_CTX_get0_param(verification.get());
    X509_VERIFY_PARAM_set_time(rules, static_cast<time_t>(now.unix_seconds()));
    // An authority is what was registered, also one below another.
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth(rules, max_depth);
    X509_VERIFY_PARAM_set_auth_level(rules, security_level);
    X509_STORE_CTX_set_purpose(verification.get(), X509_PURPOSE_SSL_CLIENT);
    if (X509_verify_cert(verification.get()) != 1)
        return refused(X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get())));
    return sk_X509_num(X509_STORE_CTX_get0_chain(verification.get())) - 1;
}

}  // namespace

base::Result<CertificateFacts> read_certificate(std::string_view text) {
    const auto certificate = text.size() <= max_certificate ? parse_text(text) : nullptr;
    if (!certificate)
        return base::fail(CloudError::invalid_argument,
                          "a certificate is expected, as PEM or as base64 of DER");
    CertificateFacts facts{.subject = shown(X509_get_subject_name(certificate.get())),
                           .issuer = shown(X509_get_issuer_name(certificate.get())),
                           .serial = serial_of(certificate.get()),
                           .sha1 = thumbprint(certificate.get(), EVP_sha1()),
                           .sha256 = thumbprint(certificate.get(), EVP_sha256())};
    MITRAL_TRY(facts.pem, to_pem(*certificate));
    MITRAL_TRY(facts.not_before, time_of(X509_get0_notBefore(certificate.get())));
    MITRAL_TRY(facts.not_after, time_of(X509_get0_notAfter(certificate.get())));
    facts.is_authority = X509_check_ca(certificate.get()) == 1;
    return facts;
}

std::string sha256_thumbprint(base::ByteView certificate) {
    const auto parsed = parse_der(certificate);
    return parsed ? thumbprint(parsed.get(), EVP_sha256()) : std::string();
}

bool has_thumbprint(base::ByteView certificate, std::string_view wanted) {
    const auto bytes = base::from_hex(wanted);
    const auto parsed = parse_der(certificate);
    if (!bytes || bytes->empty() || !parsed)
        return false;
    for (const auto* kind : {EVP_sha1(), EVP_sha256()})
        if (base::from_hex(thumbprint(parsed.get(), kind)) == *bytes)
            return true;
    return false;
}

base::Status check_dates(base::ByteView certificate, base::WallTime now) {
    const auto parsed = parse_der(certificate);
    if (!parsed)
        return refused("the certificate is unreadable");
    time_t at = static_cast<time_t>(now.unix_seconds());
    if (X509_cmp_time(X509_get0_notBefore(parsed.get()), &at) >= 0)
        return refused("the certificate is not valid yet");
    if (X509_cmp_time(X509_get0_notAfter(parsed.get()), &at) <= 0)
        return refused("the certificate has expired");
    return {};
}

base::Result<std::string> common_name(base::ByteView certificate) {
    const auto parsed = parse_der(certificate);
    if (!parsed)
        return refused("the certificate is unreadable");
    const auto* subject = X509_get_subject_name(parsed.get());
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return refused("the certificate has not exactly one common name");
    unsigned char* bytes = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0)
        return refused("the common name is unreadable");
    std::string name(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    OPENSSL_free(bytes);
    return name;
}

base::Result<int> check_chain(std::span<const base::Bytes> chain,
                              const std::vector<std::string>& authorities, base::WallTime now) {
    auto outcome = verify(chain, authorities, now);
    // In one store an authority hides another of its name, an older one for example.
    for (std::size_t i = 0; !outcome && i < authorities.size(); ++i)
        if (const auto alone = verify(chain, std::span(&authorities[i], 1), now))
            return alone;
    return outcome;
}

}  // namespace mitral::cloud::tls
