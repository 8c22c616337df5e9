#include "clinical/identifier.hpp"
#include "intake/hl7/entry_settings.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr base::Milliseconds second{1000};
constexpr base::Milliseconds day{24 * 3'600'000};

void read_dial_tls(base::Table& table, MonitorSettings& monitor) {
    monitor.dial_roots = table.texts("dial_roots");
    monitor.dial_name = table.text("dial_name", "");
    monitor.dial_certificate = table.text("dial_certificate", "");
    monitor.dial_key = table.text("dial_key", "");
    if (monitor.dial_roots.empty() != monitor.dial_name.empty())
        table.reject("dial_name",
                     "and dial_roots belong together: set both, or none for plain TCP");
    if (monitor.dial_certificate.empty() != monitor.dial_key.empty())
        table.reject("dial_certificate", "and dial_key belong together: set both, or none");
    if (monitor.dial_roots.empty() && !monitor.dial_certificate.empty())
        table.reject("dial_certificate", "needs TLS: set dial_roots and dial_name");
}

void read_dial(base::Table& table, MonitorSettings& monitor) {
    const auto dial = table.text("dial", "");
    if (!dial.empty())
        monitor.dial = read_endpoint(table, "dial", dial, 0);
    read_dial_tls(table, monitor);
    const auto query = table.text("query", "");
    monitor.query_interval = table.seconds("query_s", monitor.query_interval, second, day);
    monitor.query = query == "mindray" ? Query::mindray : Query::none;
    if (!query.empty() && query != "mindray")
        table.reject("query", "must be \"\" or \"mindray\"");
    if (dial.empty() && (!query.empty() || !monitor.dial_roots.empty()))
        table.reject("dial", "is missing: query and dial_roots are for a monitor that is dialled");
}

}  // namespace

base::Result<MonitorSettings> read_monitor(base::Table& table) {
    MonitorSettings monitor;
    monitor.source = table.required_text("source");
    if (!monitor.source.empty() && !clinical::is_identifier(monitor.source))
        table.reject("source", "must be 1 to 64 of A-Z a-z 0-9 . _ : -");
    if (const auto address = table.text("address", ""); !address.empty()) {
        monitor.network = net::Network::parse(address);
        if (!monitor.network)
            table.reject("address", "must be an address or a network, as \"10.1.2.0/24\"");
    }
    monitor.certificate = table.text("certificate", "");
    monitor.dialect = table.text("dialect", "");
    monitor.zone = table.text("zone", "");
    monitor.beds = table.text_map("beds");
    for (const auto& [place, source] : monitor.beds) {
        if (!clinical::is_identifier(source))
            table.reject("beds", "must name sources of 1 to 64 of A-Z a-z 0-9 . _ : -");
    }
    read_dial(table, monitor);
    MITRAL_CHECK(table.finish());
    return monitor;
}

}  // namespace mitral::intake::hl7
