#include "intake/hl7/equipment.hpp"

#include "base/errors.hpp"

namespace mitral::intake::hl7 {

base::Result<std::unique_ptr<Equipment>> Equipment::load(const Settings& settings) {
    std::unique_ptr<Equipment> equipment(new Equipment);
    MITRAL_CHECK(equipment->load_code_tables(settings.code_tables));
    std::vector<Monitor> monitors;
    for (const auto& entry : settings.monitors) {
        MITRAL_TRY(auto monitor, equipment->monitor(entry, settings));
        monitors.push_back(std::move(monitor));
        if (!entry.dial)
            continue;
        MITRAL_TRY(auto plan, dial_plan(entry));
        equipment->dials_.emplace_back(monitors.size() - 1, std::move(plan));
    }
    equipment->monitors_ = std::make_unique<Monitors>(std::move(monitors));
    return equipment;
}

base::Status Equipment::load_code_tables(const std::vector<std::string>& files) {
    for (const auto& file : files) {
        MITRAL_TRY(auto dialect, load_code_table(file));
        auto name = dialect.name;
        if (!dialects_.emplace(name, std::move(dialect)).second)
            return base::fail(base::BaseError::invalid_setting,
                              file + ": another of code_tables has the name " + name);
    }
    return {};
}

base::Result<const Zone*> Equipment::zone(const std::string& name) {
    if (name.empty())
        return nullptr;
    auto found = zones_.find(name);
    if (found == zones_.end()) {
        MITRAL_TRY(auto zone, Zone::find(name));
        found = zones_.emplace(name, std::move(zone)).first;
    }
    return &found->second;
}

base::Result<Monitor> Equipment::monitor(const MonitorSettings& entry, const Settings& settings) {
    Monitor monitor;
    monitor.sender.source = entry.source;
    monitor.sender.beds = entry.beds;
    monitor.sender.clock_tolerance = settings.clock_tolerance;
    MITRAL_TRY(monitor.sender.zone, zone(entry.zone.empty() ? settings.zone : entry.zone));
    if (!entry.dialect.empty()) {
        const auto found = dialects_.find(entry.dialect);
        if (found == dialects_.end())
            return base::fail(base::BaseError::invalid_setting,
                              "dialect of [[intake-hl7.monitor]] " + entry.source +
                                  " is the name of none of code_tables");
        monitor.sender.dialect = &found->second;
    }
    monitor.network = entry.network;
    monitor.certificate = entry.certificate;
    return monitor;
}

base::Result<DialPlan> Equipment::dial_plan(const MonitorSettings& entry) {
    DialPlan plan;
    plan.target = *entry.dial;
    plan.query = entry.query;
    plan.query_interval = entry.query_interval;
    if (!entry.dial_roots.empty()) {
        net::TlsClientOptions options;
        options.root_files = entry.dial_roots;
        options.certificate_file = entry.dial_certificate;
        options.key_file = entry.dial_key;
        MITRAL_TRY(auto context, net::TlsContext::client(options));
        plan.tls = std::make_shared<const net::TlsContext>(std::move(context));
        plan.name = entry.dial_name;
    }
    return plan;
}

base::Result<std::vector<Listener>> open_listeners(const Settings& settings) {
    std::vector<Listener> listeners;
    for (const auto& entry : settings.listeners) {
        Listener listener;
        if (!entry.tls.certificate_file.empty()) {
            MITRAL_TRY(auto context, net::TlsContext::server(entry.tls));
            listener.tls = std::make_shared<const net::TlsContext>(std::move(context));
        }
        MITRAL_TRY(listener.socket, net::listen_tcp(entry.at));
        listeners.push_back(std::move(listener));
    }
    return listeners;
}

}  // namespace mitral::intake::hl7
