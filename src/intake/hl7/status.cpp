#include "intake/hl7/status.hpp"

#include <fmt/format.h>

#include "intake/store/status_file.hpp"

namespace mitral::intake::hl7 {
namespace {

std::string describe(const NotUnderstood& counts) {
    std::string text = "{";
    const char* separator = "";
    for (const auto& [name, counter] : not_understood_counters()) {
        text += fmt::format(R"({}"{}":{})", separator, name, counts.*counter);
        separator = ",";
    }
    return text + "}";
}

// Sources are identifiers: nothing in them needs escaping.
std::string describe(const Monitor& monitor) {
    return fmt::format(
        R"({{"source":"{}","connected":{},"messages":{},"refused":{},"last_message":{},)"
        R"("clock_offset_ms":{},"not_understood":{}}})",
        monitor.sender.source, monitor.open_connections > 0, monitor.messages, monitor.refused,
        monitor.last_message ? '"' + base::to_iso8601(*monitor.last_message) + '"' : "null",
        monitor.clock_offset_ms ? std::to_string(*monitor.clock_offset_ms) : "null",
        describe(monitor.not_understood));
}

}  // namespace

std::string describe_status(const Counters& counters, std::size_t open_connections,
                            const Monitors& monitors, const spool::Writer& writer,
                            base::WallTime now) {
    NotUnderstood sum;
    std::string list;
    for (const auto& monitor : monitors.all()) {
        sum += monitor.not_understood;
        if (!list.empty())
            list += ",";
        list += describe(monitor);
    }
    return fmt::format(
        R"({{"program":"mitral-intake-hl7","written":"{}","open":{},"connections":{},)"
        R"("rejected":{},"messages":{},"readings":{},"observations":{},"refused":{},"postponed":{},)"
        R"("duplicates":{},"unfinished":{},"junk_bytes":{},"not_understood":{},"lanes":{},)"
        R"("monitors":[{}]}})"
        "\n",
        base::to_iso8601(now), open_connections, counters.connections, counters.rejected,
        counters.messages, counters.readings, counters.observations, counters.refused,
        counters.postponed, counters.duplicates, counters.unfinished, counters.junk_bytes,
        describe(sum), describe_lanes(writer), list);
}

}  // namespace mitral::intake::hl7
