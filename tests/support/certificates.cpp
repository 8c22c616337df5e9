#include "support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <stdexcept>

namespace mitral::test {
namespace {

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

void require(bool condition, const char* what) {
    if (!condition)
        throw std::runtime_error(std::string("test certificate: ") + what);
}

Key new_key() {
    Key key(EVP_EC_gen("P-256"));
    require(key != nullptr, "key");
    return key;
}

void set_name(X509_NAME* name, const std::string& common_name) {
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(common_name.c_str()),
                                       -1, -1, 0) == 1,
            "name");
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
    require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

Certificate new_certificate(const std::string& name, int from_days, int until_days, EVP_PKEY* key) {
    static std::atomic<long> serial{1};
    Certificate certificate(X509_new());
    require(certificate != nullptr, "new");
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_time_adj_ex(X509_getm_notBefore(certificate.get()), from_days, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(certificate.get()), until_days, 0, nullptr);
    set_name(X509_get_subject_name(certificate.get()), name);
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

void write_pem(const std::string& file, X509* certificate) {
    const Bio out(BIO_new_file(file.c_str(), "w"));
    require(out && PEM_write_bio_X509(out.get(), certificate) == 1, file.c_str());
}

void write_pem(const std::string& file, EVP_PKEY* key) {
    const Bio out(BIO_new_file(file.c_str(), "w"));
    require(
        out && PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        file.c_str());
}

Certificate server_certificate(const CertificateRequest& request, EVP_PKEY* key, X509* issuer) {
    auto certificate =
        new_certificate(request.dns_name, request.valid_from_days, request.valid_until_days, key);
    X509* signer = issuer != nullptr ? issuer : certificate.get();
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
    std::string names = "DNS:" + request.dns_name;
    if (!request.ip_address.empty())
        names += ",IP:" + request.ip_address;
    add_extension(certificate.get(), signer, NID_subject_alt_name, names);
    add_extension(certificate.get(), signer, NID_ext_key_usage, "serverAuth,clientAuth");
    return certificate;
}

void sign(X509* certificate, EVP_PKEY* key) {
    require(X509_sign(certificate, key, EVP_sha256()) != 0, "sign");
}

}  // namespace

struct CertificateAuthority::State {
    Key key;
    Certificate certificate;
};

CertificateAuthority::CertificateAuthority(const std::string& name)
    : state_(std::make_unique<State>()) {
    state_->key = new_key();
    state_->certificate = new_certificate(name, -1, 3650, state_->key.get());
    X509* certificate = state_->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    sign(certificate, state_->key.get());
}

CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority::~CertificateAuthority() = default;

void CertificateAuthority::write_certificate(const std::string& file) const {
    write_pem(file, state_->certificate.get());
}

void CertificateAuthority::issue(const CertificateRequest& request,
                                 const std::string& certificate_file,
                                 const std::string& key_file) const {
    const Key key = new_key();
    const auto certificate = server_certificate(request, key.get(), state_->certificate.get());
    sign(certificate.get(), state_->key.get());
    write_pem(certificate_file, certificate.get());
    write_pem(key_file, key.get());
}

void write_self_signed(const CertificateRequest& request, const std::string& certificate_file,
                       const std::string& key_file) {
    const Key key = new_key();
    const auto certificate = server_certificate(request, key.get(), nullptr);
    sign(certificate.get(), key.get());
    write_pem(certificate_file, certificate.get());
    write_pem(key_file, key.get());
}

}  // namespace mitral::test
