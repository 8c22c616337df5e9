// The SASL layer of one connection (AMQP 1.0 part 5, § 5.3): ANONYMOUS and MSSBCBS lead to a peer
// that has to put a token, PLAIN carries a policy and its key or a token at once.
#pragma once

#include <functional>
#include <string>
#include <string_view>

struct pn_transport_t;

namespace mitral::cloud::amqp {

struct Sasl {
    // Judges user name and password of PLAIN.
    std::function<bool(std::string_view user, std::string_view password)> admit_plain;
    bool failed = false;
};

// `sasl` outlives the transport.
void offer_mechanisms(pn_transport_t* transport, Sasl& sasl);

}  // namespace mitral::cloud::amqp
