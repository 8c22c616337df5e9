#include "net/tls_roots.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>

#include "base/errors.hpp"
#include "net/openssl_handles.hpp"
#include "net/tls_errors.hpp"

namespace mitral::net {

using base::fail;
using base::Status;

namespace {

Status add_roots(SSL_CTX* context, BIO* input, const std::string& name) {
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    int count = 0;
    while (const Certificate root{PEM_read_bio_X509(input, nullptr, nullptr, nullptr)}) {
        if (X509_STORE_add_cert(store, root.get()) != 1)
            return library_failure("pin " + name, NetError::trust_store);
        ++count;
    }
    ERR_clear_error();  // the end of the text is reported as an error
    if (count == 0)
        return fail(NetError::trust_store, name + " holds no PEM certificate");
    return {};
}

// The context's list, made where there is none; null only without memory.
STACK_OF(X509_NAME) * client_authorities(SSL_CTX* context) {
    if (SSL_CTX_get_client_CA_list(context) == nullptr)
        SSL_CTX_set_client_CA_list(context, sk_X509_NAME_new_null());
    return SSL_CTX_get_client_CA_list(context);
}

}  // namespace

Status add_root_file(SSL_CTX* context, const std::string& file) {
    const Bio input(BIO_new_file(file.c_str(), "r"));
    if (!input)
        return library_failure("open pinned root " + file, NetError::trust_store);
    return add_roots(context, input.get(), file);
}

Status add_root_text(SSL_CTX* context, const std::string& pem) {
    const Bio input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!input)
        return library_failure("read a pinned root", NetError::trust_store);
    return add_roots(context, input.get(), "pinned root");
}

Status require_client_certificate(SSL_CTX* context, const std::vector<std::string>& root_files) {
    for (const std::string& file : root_files) {
        MITRAL_CHECK(add_root_file(context, file));
        // Tells the client which of its certificates to show.
        if (SSL_add_file_cert_subjects_to_stack(client_authorities(context), file.c_str()) != 1)
            return library_failure("name the authorities of " + file, NetError::trust_store);
    }
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

}  // namespace mitral::net
