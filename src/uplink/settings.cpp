#include "uplink/settings.hpp"

#include "base/errors.hpp"

namespace mitral::uplink {
namespace {

using base::Milliseconds;
using base::Seconds;

base::Result<net::TlsVersion> parse_version(const std::string& text) {
    if (text == "1.2")
        return net::TlsVersion::tls12;
    if (text == "1.3")
        return net::TlsVersion::tls13;
    return base::fail(base::BaseError::invalid_setting,
                      "[uplink] minimum_tls is \"1.2\" or \"1.3\"");
}

Seconds whole_seconds(base::Table& table, std::string_view key, Seconds fallback, Seconds minimum,
                      Seconds maximum) {
    return std::chrono::duration_cast<Seconds>(table.seconds(key, fallback, minimum, maximum));
}

}  // namespace

base::Result<Settings> read_settings(base::Table table) {
    Settings out;
    out.user = table.text("user", "mitral-uplink");
    out.vault_socket = table.text("vault", "/run/mitral/vault/vault.sock");
    out.assignment_file = table.text("assignment", "/var/lib/mitral/enrol/assignment.json");
    out.spools =
        table.texts("spools", {"/var/lib/mitral/spool/lines", "/var/lib/mitral/spool/hl7"});
    out.state = table.text("state", "/var/lib/mitral/uplink");
    out.status_file = table.text("status", "/run/mitral/uplink/uplink.json");
    out.trust.root_files = table.texts("root_files");
    out.trust.bundle_file = table.text("trust_bundle", "");
    out.trust.bundle_key_file = table.text("trust_bundle_key", "");
    const std::string minimum_tls = table.text("minimum_tls", "1.2");
    const std::string proxy = table.text("proxy", "");
    out.hub_port = static_cast<std::uint16_t>(table.integer("hub_port", 8883, 1, 65535));
    out.token_lifetime =
        whole_seconds(table, "token_lifetime_s", Seconds(3600), Seconds(10), Seconds(86'400));
    out.max_messages_per_s =
        static_cast<std::uint32_t>(table.integer("max_messages_per_s", 80, 0, 1'000'000));
    out.connect_timeout = table.seconds("connect_timeout_s", Seconds(10), Seconds(1), Seconds(120));
    out.drain_timeout = table.seconds("drain_timeout_s", Seconds(10), Seconds(1), Seconds(60));
    out.checkpoint_interval =
        table.seconds("checkpoint_interval_s", Seconds(300), Seconds(15), Seconds(86'400));
    // Azure closes after 1.5 × keep_alive and takes at most 1177 s.
    out.session.keep_alive =
        whole_seconds(table, "keep_alive_s", Seconds(60), Seconds(5), Seconds(1177));
    out.session.window = static_cast<std::uint16_t>(
        table.integer("window", 100, 1, static_cast<std::int64_t>(InFlight::max_window)));
    out.session.acknowledge_timeout =
        table.seconds("acknowledge_timeout_s", Seconds(60), Seconds(1), Seconds(600));
    out.session.ping_timeout =
        table.seconds("ping_timeout_s", Seconds(20), Seconds(1), Seconds(600));
    out.session.connect_timeout =
        table.seconds("connack_timeout_s", Seconds(20), Seconds(1), Seconds(600));
    out.reconnect.ceiling =
        table.seconds("reconnect_ceiling_s", Seconds(60), Seconds(1), Seconds(3600));
    MITRAL_CHECK(table.finish());

    MITRAL_TRY(out.tls.minimum, parse_version(minimum_tls));
    if (out.trust.root_files.empty() && out.trust.bundle_file.empty())
        return base::fail(base::BaseError::invalid_setting,
                          "[uplink] root_files is empty: name the pinned root certificates");
    if (out.spools.empty())
        return base::fail(base::BaseError::invalid_setting, "[uplink] spools is empty");
    if (!proxy.empty()) {
        MITRAL_TRY(out.proxy, net::parse_endpoint(proxy, 8080));
    }
    return out;
}

}  // namespace mitral::uplink
