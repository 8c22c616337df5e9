#include "intake/hl7/entry_settings.hpp"

namespace mitral::intake::hl7 {

std::optional<net::Endpoint> read_endpoint(base::Table& table, std::string_view key,
                                           const std::string& text, std::uint16_t port_if_none) {
    auto parsed = net::parse_endpoint(text, port_if_none);
    if (parsed && parsed->port != 0 && net::Address::parse(parsed->host))
        return *parsed;
    table.reject(key, "must be a numeric address and a port, as \"10.1.2.3:2575\"");
    return std::nullopt;
}

namespace {

void read_listener_tls(base::Table& table, net::TlsServerOptions& tls) {
    tls.certificate_file = table.text("certificate", "");
    tls.key_file = table.text("key", "");
    tls.client_roots = table.texts("client_roots");
    const auto minimum = table.text("minimum_tls", "1.2");
    if (minimum != "1.2" && minimum != "1.3")
        table.reject("minimum_tls", "must be \"1.2\" or \"1.3\"");
    tls.minimum = minimum == "1.3" ? net::TlsVersion::tls13 : net::TlsVersion::tls12;
    if (tls.certificate_file.empty() != tls.key_file.empty())
        table.reject("certificate", "and key belong together: set both, or none for plain TCP");
    if (tls.certificate_file.empty() && !tls.client_roots.empty())
        table.reject("client_roots", "need TLS: set certificate and key");
}

}  // namespace

base::Result<ListenSettings> read_listener(base::Table& table) {
    ListenSettings listener;
    const auto address = table.required_text("address");
    listener.at = read_endpoint(table, "address", address, default_port).value_or(net::Endpoint{});
    read_listener_tls(table, listener.tls);
    MITRAL_CHECK(table.finish());
    return listener;
}

}  // namespace mitral::intake::hl7
