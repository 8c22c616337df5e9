#include "timed/settings.hpp"

#include "base/errors.hpp"

namespace mitral::timed {

using base::Seconds;

base::Result<Settings> read_settings(base::Table table) {
    constexpr std::uint16_t roughtime_port = 2002;
    Settings out;
    out.user = table.text("user", "mitral-timed");
    out.vault_socket = table.text("vault", "/run/mitral/vault/vault.sock");
    const auto server = table.required_text("server");
    const auto transport = table.text("transport", "udp");
    out.interval = table.seconds("interval_s", Seconds(3600), Seconds(60), Seconds(43'200));
    out.retry_after = table.seconds("retry_s", Seconds(60), Seconds(1), Seconds(3600));
    out.timeout = table.seconds("timeout_s", Seconds(5), Seconds(1), Seconds(30));
    MITRAL_CHECK(table.finish());
    if (transport != "udp" && transport != "tcp")
        return base::fail(base::BaseError::invalid_setting,
                          "[timed] transport is \"udp\" or \"tcp\"");
    out.server.transport = transport == "udp" ? Transport::udp : Transport::tcp;
    MITRAL_TRY(out.server.endpoint, net::parse_endpoint(server, roughtime_port));
    return out;
}

}  // namespace mitral::timed
