#include "cloud/tls/x509.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/crypto.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::tls {
namespace {

using Bio = std::unique_ptr<BIO, base::Deleter<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, base::Deleter<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, base::Deleter<BN_free>>;

constexpr long backdate_s = 300;  // clients with a slow clock
constexpr std::size_t max_pem = 64 * 1024;

auto failed(const std::string& doing) {
    ERR_clear_error();
    return base::fail(CloudError::certificate, doing);
}

bool is_address(const std::string& name) {
    in6_addr scratch{};
    return inet_pton(AF_INET, name.c_str(), &scratch) == 1 ||
           inet_pton(AF_INET6, name.c_str(), &scratch) == 1;
}

bool set_serial(X509* certificate) {
    std::array<std::uint8_t, 16> bytes{};
    base::fill_random(bytes);
    bytes[0] &= 0x7f;  // positive (RFC 5280 §4.1.2.2)
    const Number number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    return number &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, base::WallTime now, int days) {
    time_t start = static_cast<time_t>(now.unix_seconds()) - backdate_s;
    time_t end = static_cast<time_t>(now.unix_seconds()) + static_cast<time_t>(days) * 86'400;
    return X509_time_adj_ex(X509_getm_notBefore(certificate), 0, 0, &start) != nullptr &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), 0, 0, &end) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& text) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes,
                                      static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// What authority and server have in common, before extensions and the signature.
base::Result<Identity> begin(const std::string& name, base::WallTime now, int days) {
    // P-256: cheap handshakes, which a storm of reconnecting devices is made of.
    Identity identity{Certificate(X509_new()), Key(EVP_EC_gen("P-256"))};
    X509* certificate = identity.certificate.get();
    if (certificate == nullptr || !identity.key ||
        X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
        !set_validity(certificate, now, days) ||
        X509_set_pubkey(certificate, identity.key.get()) != 1 ||
        !set_name(X509_get_subject_name(certificate), name))
        return failed("prepare the certificate of " + name);
    return identity;
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text.append(text.empty() ? "" : ",").append(is_address(name) ? "IP:" : "DNS:").append(name);
    return text;
}

template <typename Write>
base::Result<std::string> written(Write write) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio || write(bio.get()) != 1)
        return failed("write a PEM file");
    const char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

base::Result<Identity> make_authority(const std::string& name, base::WallTime now, int days) {
    MITRAL_TRY(auto identity, begin(name, now, days));
    X509* certificate = identity.certificate.get();
    if (X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1 ||
        !add_extension(certificate, certificate, NID_basic_constraints,
                       "critical,CA:TRUE,pathlen:0") ||
        !add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !add_extension(certificate, certificate, NID_subject_key_identifier, "hash") ||
        X509_sign(certificate, identity.key.get(), EVP_sha256()) <= 0)
        return failed("make the certificate authority");
    return identity;
}

base::Result<Identity> make_server(const Identity& authority, const std::vector<std::string>& names,
                                   base::WallTime now, int days) {
    if (names.empty())
        return failed("a server certificate needs a name");
    MITRAL_TRY(auto identity, begin(names.front(), now, days));
    X509* certificate = identity.certificate.get();
    X509* issuer = authority.certificate.get();
    if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
        !add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
        !add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") ||
        !add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") ||
        !add_extension(certificate, issuer, NID_subject_key_identifier, "hash") ||
        !add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") ||
        !add_extension(certificate, issuer, NID_subject_alt_name, alternative_names(names)) ||
        X509_sign(certificate, authority.key.get(), EVP_sha256()) <= 0)
        return failed("make the server certificate for " + names.front());
    return identity;
}

base::Result<Identity> parse_identity(const std::string& certificate_pem,
                                      const std::string& key_pem) {
    if (certificate_pem.size() > max_pem || key_pem.size() > max_pem)
        return failed("PEM file too large");
    const Bio certificate(
        BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
    const Bio key(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
    if (!certificate || !key)
        return failed("read a PEM file");
    Identity identity{Certificate(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)),
                      Key(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr))};
    if (!identity.certificate || !identity.key ||
        X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1)
        return failed("certificate and key do not belong together");
    return identity;
}

base::Result<std::string> to_pem(X509& certificate) {
    return written([&](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}

base::Result<std::string> to_pem(EVP_PKEY& key) {
    return written([&](BIO* bio) {
        return PEM_write_bio_PrivateKey(bio, &key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

bool is_issued_by(X509& certificate, X509& authority) {
    const bool good = X509_verify(&certificate, X509_get0_pubkey(&authority)) == 1;
    ERR_clear_error();
    return good;
}

bool is_valid_until(X509& certificate, std::int64_t unix_seconds) {
    time_t at = static_cast<time_t>(unix_seconds);
    return X509_cmp_time(X509_get0_notAfter(&certificate), &at) > 0;
}

bool is_for_name(X509& certificate, const std::string& name) {
    if (is_address(name))
        return X509_check_ip_asc(&certificate, name.c_str(), 0) == 1;
    return X509_check_host(&certificate, name.data(), name.size(), 0, nullptr) == 1;
}

}  // namespace mitral::cloud::tls
