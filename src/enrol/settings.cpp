#include "enrol/settings.hpp"

#include "azure/ids.hpp"
#include "base/errors.hpp"

namespace mitral::enrol {

using base::Milliseconds;
using base::Seconds;

namespace {

base::Result<net::TlsVersion> parse_version(const std::string& text) {
    if (text == "1.2")
        return net::TlsVersion::tls12;
    if (text == "1.3")
        return net::TlsVersion::tls13;
    return base::fail(base::BaseError::invalid_setting,
                      "[enrol] minimum_tls is \"1.2\" or \"1.3\"");
}

}  // namespace

base::Result<Settings> read_settings(base::Table table) {
    Settings out;
    out.user = table.text("user", "mitral-enrol");
    out.vault_socket = table.text("vault", "/run/mitral/vault/vault.sock");
    out.assignment_file = table.text("assignment", "/var/lib/mitral/enrol/assignment.json");
    const auto dps = table.text("dps", "global.azure-devices-provisioning.net:443");
    out.trust.root_files = table.texts("root_files");
    out.trust.bundle_file = table.text("trust_bundle", "");
    out.trust.bundle_key_file = table.text("trust_bundle_key", "");
    const auto minimum_tls = table.text("minimum_tls", "1.2");
    const auto proxy = table.text("proxy", "");
    out.connect_timeout = table.seconds("connect_timeout_s", Seconds(10), Seconds(1), Seconds(120));
    out.request_timeout = table.seconds("request_timeout_s", Seconds(30), Seconds(1), Seconds(300));
    out.registration.give_up_after =
        table.seconds("give_up_after_s", Seconds(600), Seconds(1), Seconds(86'400));
    out.registration.token_lifetime = std::chrono::duration_cast<Seconds>(
        table.seconds("token_lifetime_s", Seconds(600), Seconds(120), Seconds(3600)));
    out.registration.confirm_hub = table.boolean("confirm_hub", false);
    MITRAL_CHECK(table.finish());

    MITRAL_TRY(out.minimum_tls, parse_version(minimum_tls));
    MITRAL_TRY(out.dps, net::parse_endpoint(dps, 443));
    if (const auto fine = azure::check_host(out.dps.host); !fine)
        return base::fail(base::BaseError::invalid_setting, "[enrol] dps " + fine.error().context);
    if (!proxy.empty()) {
        MITRAL_TRY(out.proxy, net::parse_endpoint(proxy, 8080));
    }
    if (out.trust.root_files.empty() && out.trust.bundle_file.empty())
        return base::fail(base::BaseError::invalid_setting,
                          "[enrol] root_files is empty: name the pinned root certificates");
    return out;
}

}  // namespace mitral::enrol
