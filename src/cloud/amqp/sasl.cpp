#include "cloud/amqp/sasl.hpp"

#include <proton/sasl.h>
#include <proton/sasl_plugin.h>
#include <proton/transport.h>

namespace mitral::cloud::amqp {
namespace {

// RFC 4616: [authzid] NUL authcid NUL passwd.
bool admit_plain(const Sasl& sasl, pn_bytes_t response) {
    const std::string_view text(response.start, response.size);
    const auto first = text.find('\0');
    const auto second = first == std::string_view::npos ? first : text.find('\0', first + 1);
    return second != std::string_view::npos && sasl.admit_plain &&
           sasl.admit_plain(text.substr(first + 1, second - first - 1), text.substr(second + 1));
}

Sasl& context(pn_transport_t* transport) {
    return *static_cast<Sasl*>(pnx_sasl_get_context(transport));
}

const char* list(pn_transport_t*) {
    return "MSSBCBS PLAIN ANONYMOUS";
}

bool begin(pn_transport_t* transport) {
    pnx_sasl_set_desired_state(transport, SASL_POSTED_MECHANISMS);
    return true;
}
bool no(pn_transport_t*) {
    return false;
}
void nothing(pn_transport_t*) {}

void on_init(pn_transport_t* transport, const char* mechanism, const pn_bytes_t* response) {
    const std::string_view name(mechanism == nullptr ? "" : mechanism);
    const bool open = name == "ANONYMOUS" || name == "MSSBCBS";
    if (open || (name == "PLAIN" && response->start != nullptr &&
                 admit_plain(context(transport), *response))) {
        pnx_sasl_set_succeeded(transport, "peer", "peer");
    } else {
        context(transport).failed = true;
        pnx_sasl_set_failed(transport);
    }
    pnx_sasl_set_desired_state(transport, SASL_POSTED_OUTCOME);
}

// No mechanism here has a second step.
void on_response(pn_transport_t* transport, const pn_bytes_t*) {
    context(transport).failed = true;
    pnx_sasl_set_failed(transport);
    pnx_sasl_set_desired_state(transport, SASL_POSTED_OUTCOME);
}

bool on_mechanisms(pn_transport_t*, const char*) {
    return false;
}
void ignore(pn_transport_t*, const pn_bytes_t*) {}
ssize_t none(pn_transport_t*) {
    return 0;
}
ssize_t no_layer(pn_transport_t*, pn_bytes_t, pn_bytes_t*) {
    return 0;
}

constexpr pnx_sasl_implementation implementation{.free = nothing,
                                                 .list_mechanisms = list,
                                                 .init_server = begin,
                                                 .init_client = no,
                                                 .prepare_write = nothing,
                                                 .process_init = on_init,
                                                 .process_response = on_response,
                                                 .process_mechanisms = on_mechanisms,
                                                 .process_challenge = ignore,
                                                 .process_outcome = ignore,
                                                 .can_encrypt = no,
                                                 .max_encrypt_size = none,
                                                 .encode = no_layer,
                                                 .decode = no_layer};

}  // namespace

void offer_mechanisms(pn_transport_t* transport, Sasl& sasl) {
    pn_sasl(transport);
    pnx_sasl_set_implementation(transport, &implementation, &sasl);
    // Microsoft's service client for Node begins without SASL: it has to put a token all the same.
    pn_transport_require_auth(transport, false);
}

}  // namespace mitral::cloud::amqp
