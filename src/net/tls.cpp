#include "net/tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/errors.hpp"
#include "net/certificate_names.hpp"
#include "net/openssl_handles.hpp"
#include "net/tls_errors.hpp"
#include "net/tls_roots.hpp"

namespace mitral::net {

using base::fail;
using base::Result;
using base::Status;

namespace {

// RFC 9325 §4.2: forward secrecy and AEAD, nothing else. TLS 1.3 has no other kind.
constexpr const char* tls12_suites = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* groups = "X25519:P-256:P-384";

Result<Context> new_context(TlsVersion minimum) {
    Context context(SSL_CTX_new(TLS_method()));
    if (!context)
        return library_failure("create a TLS context", NetError::handshake_failed);
    SSL_CTX* raw = context.get();
    const int version = minimum == TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_security_level(raw, 2);  // RSA ≥ 2048 bits, no SHA-1, whatever openssl.cnf says
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(raw, version) != 1 ||
        SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(raw, tls12_suites) != 1 ||
        SSL_CTX_set1_groups_list(raw, groups) != 1)
        return library_failure("set the TLS policy", NetError::handshake_failed);
    return context;
}

Status use_certificate(SSL_CTX* context, const std::string& certificate, const std::string& key) {
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
        return library_failure("load certificate " + certificate, NetError::certificate_invalid);
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return library_failure("load the key of " + certificate, NetError::certificate_invalid);
    return {};
}

bool is_address(const std::string& name) {
    in6_addr scratch{};
    return inet_pton(AF_INET, name.c_str(), &scratch) == 1 ||
           inet_pton(AF_INET6, name.c_str(), &scratch) == 1;
}

// SNI carries names only (RFC 6066 §3); an address is matched against the certificate's IP entries.
bool expect_name(SSL* connection, const std::string& name) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(connection);
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1;
    SSL_set_hostflags(connection,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(connection, name.c_str()) == 1 &&
           SSL_set_tlsext_host_name(connection, name.c_str()) == 1;
}

// Many small answers a system call. Not SSL_CTX_set_read_ahead(): with it OpenSSL moves all that it
// has read ahead to the front of its buffer for every record it takes out.
bool read_through_a_buffer(SSL* connection, int socket) {
    constexpr long size = 16 * 1024;
    Bio input(BIO_new_socket(socket, BIO_NOCLOSE));
    Bio output(BIO_new_socket(socket, BIO_NOCLOSE));
    Bio buffer(BIO_new(BIO_f_buffer()));
    if (!input || !output || !buffer || BIO_set_read_buffer_size(buffer.get(), size) != 1)
        return false;
    SSL_set0_rbio(connection, BIO_push(buffer.release(), input.release()));
    SSL_set0_wbio(connection, output.release());
    return true;
}

// Looking costs less than clearing, and there hardly ever is one.
void forget_earlier_errors() {
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

int accept_any_certificate(int, X509_STORE_CTX*) {
    return 1;
}

}  // namespace

struct TlsContext::State {
    Context context;
};

struct TlsStream::State {
    base::UniqueFd socket;
    Connection connection;
    std::string peer;
    bool client = false;
    bool broken = false;
};

TlsContext::TlsContext(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
TlsContext::TlsContext(TlsContext&&) noexcept = default;
TlsContext& TlsContext::operator=(TlsContext&&) noexcept = default;
TlsContext::~TlsContext() = default;

Result<TlsContext> TlsContext::client(const TlsClientOptions& options) {
    MITRAL_TRY(auto context, new_context(options.minimum));
    if (options.root_files.empty() && options.roots_pem.empty())
        return fail(NetError::trust_store, "no pinned root is configured; set root_files");
    for (const std::string& file : options.root_files)
        MITRAL_CHECK(add_root_file(context.get(), file));
    for (const std::string& pem : options.roots_pem)
        MITRAL_CHECK(add_root_text(context.get(), pem));
    if (!options.certificate_file.empty())
        MITRAL_CHECK(use_certificate(context.get(), options.certificate_file, options.key_file));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    return TlsContext(std::make_shared<State>(State{std::move(context)}));
}

Result<TlsContext> TlsContext::server(const TlsServerOptions& options) {
    MITRAL_TRY(auto context, new_context(options.minimum));
    MITRAL_CHECK(use_certificate(context.get(), options.certificate_file, options.key_file));
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (!options.client_roots.empty())
        MITRAL_CHECK(require_client_certificate(context.get(), options.client_roots));
    else if (options.request_client_certificate)
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, accept_any_certificate);
    return TlsContext(std::make_shared<State>(State{std::move(context)}));
}

Result<TlsStream> TlsContext::connect(base::UniqueFd socket, const std::string& server_name) const {
    Connection connection(SSL_new(state_->context.get()));
    if (!connection || !read_through_a_buffer(connection.get(), socket.get()) ||
        !expect_name(connection.get(), server_name))
        return library_failure("prepare TLS to " + server_name, NetError::handshake_failed);
    SSL_set_connect_state(connection.get());
    auto state = std::make_unique<TlsStream::State>();
    state->socket = std::move(socket);
    state->connection = std::move(connection);
    state->peer = server_name;
    state->client = true;
    return TlsStream(std::move(state));
}

Result<TlsStream> TlsContext::accept(base::UniqueFd socket) const {
    Connection connection(SSL_new(state_->context.get()));
    if (!connection || SSL_set_fd(connection.get(), socket.get()) != 1)
        return library_failure("prepare TLS", NetError::handshake_failed);
    SSL_set_accept_state(connection.get());
    auto state = std::make_unique<TlsStream::State>();
    state->socket = std::move(socket);
    state->connection = std::move(connection);
    state->peer = "client";
    return TlsStream(std::move(state));
}

TlsStream::TlsStream(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;
TlsStream::~TlsStream() = default;

namespace {

// Maps the result of an SSL_* call on a non-blocking stream; nullopt-like `failed` for real errors.
enum class Verdict : std::uint8_t { done, want_read, want_write, closed, failed };

Verdict judge(const SSL* connection, int result) {
    switch (SSL_get_error(connection, result)) {
        case SSL_ERROR_NONE:
            return Verdict::done;
        case SSL_ERROR_WANT_READ:
            return Verdict::want_read;
        case SSL_ERROR_WANT_WRITE:
            return Verdict::want_write;
        case SSL_ERROR_ZERO_RETURN:
            return Verdict::closed;
        default:
            return Verdict::failed;
    }
}

IoOutcome outcome(Verdict verdict, std::size_t bytes) {
    switch (verdict) {
        case Verdict::want_read:
            return {IoOutcome::Kind::want_read, 0};
        case Verdict::want_write:
            return {IoOutcome::Kind::want_write, 0};
        case Verdict::closed:
            return {IoOutcome::Kind::closed, 0};
        default:
            return {IoOutcome::Kind::done, bytes};
    }
}

std::unexpected<base::Error> transfer_failure(const std::string& peer, int saved_errno) {
    std::string text = take_error_text();
    if (text.empty())
        text = saved_errno != 0 ? std::generic_category().message(saved_errno)
                                : "closed without a TLS goodbye";
    return fail(NetError::connection_lost, peer + " (" + text + ")");
}

}  // namespace

Result<IoOutcome> TlsStream::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(state_->connection.get());
    const Verdict verdict = judge(state_->connection.get(), result);
    if (verdict == Verdict::failed || verdict == Verdict::closed) {
        state_->broken = true;
        return handshake_failure(state_->connection.get(), state_->peer);
    }
    return outcome(verdict, 0);
}

Result<IoOutcome> TlsStream::read(base::MutableByteView into) {
    forget_earlier_errors();
    errno = 0;
    std::size_t bytes = 0;
    const int result = SSL_read_ex(state_->connection.get(), into.data(), into.size(), &bytes);
    const int saved_errno = errno;
    const Verdict verdict = judge(state_->connection.get(), result);
    if (verdict == Verdict::failed) {
        state_->broken = true;
        return transfer_failure(state_->peer, saved_errno);
    }
    return outcome(verdict, bytes);
}

Result<IoOutcome> TlsStream::write(base::ByteView from) {
    forget_earlier_errors();
    errno = 0;
    std::size_t bytes = 0;
    const int result = SSL_write_ex(state_->connection.get(), from.data(), from.size(), &bytes);
    const int saved_errno = errno;
    const Verdict verdict = judge(state_->connection.get(), result);
    if (verdict == Verdict::failed) {
        state_->broken = true;
        return transfer_failure(state_->peer, saved_errno);
    }
    return outcome(verdict, bytes);
}

void TlsStream::shutdown() noexcept {
    // OpenSSL forbids SSL_shutdown after a fatal error or inside a handshake.
    if (state_->broken || SSL_is_init_finished(state_->connection.get()) != 1)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(state_->connection.get());
    ERR_clear_error();
}

bool TlsStream::pending() const noexcept {
    const SSL* connection = state_->connection.get();
    return SSL_has_pending(connection) == 1 || BIO_pending(SSL_get_rbio(connection)) > 0;
}

int TlsStream::fd() const noexcept {
    return state_->socket.get();
}

std::string TlsStream::version() const {
    return SSL_get_version(state_->connection.get());
}

std::string TlsStream::cipher() const {
    const char* name = SSL_get_cipher_name(state_->connection.get());
    return name != nullptr ? name : "";
}

namespace {

base::Bytes to_der(const X509* certificate) {
    const int size = i2d_X509(certificate, nullptr);
    base::Bytes der(static_cast<std::size_t>(std::max(size, 0)));
    std::uint8_t* cursor = der.data();
    if (size > 0)
        i2d_X509(certificate, &cursor);
    return der;
}

}  // namespace

base::Bytes TlsStream::peer_certificate() const {
    const Certificate certificate(SSL_get1_peer_certificate(state_->connection.get()));
    return certificate ? to_der(certificate.get()) : base::Bytes();
}

CertificateChain TlsStream::peer_chain() const {
    CertificateChain chain{peer_certificate()};
    if (chain.front().empty())
        return {};
    // OpenSSL leaves the client's own certificate out of what a server sees here.
    const auto* sent = SSL_get_peer_cert_chain(state_->connection.get());
    for (int i = state_->client ? 1 : 0; i < sk_X509_num(sent); ++i)
        chain.push_back(to_der(sk_X509_value(sent, i)));
    return chain;
}

std::vector<std::string> TlsStream::peer_names() const {
    const Certificate certificate(SSL_get1_peer_certificate(state_->connection.get()));
    return certificate ? certificate_names(certificate.get()) : std::vector<std::string>();
}

}  // namespace mitral::net
