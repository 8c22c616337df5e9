#include "intake/lines/settings.hpp"

namespace mitral::intake {

base::Result<Settings> read_settings(const base::Config& config) {
    auto table = config.table("intake-lines");
    Settings settings{read_adapter_settings(table, "lines"), {}, {}, {}};
    settings.socket = table.text("socket", "/run/mitral/intake-lines/intake-lines.sock");
    settings.socket_group = table.text("socket_group", "");
    auto& limits = settings.limits;
    limits.connections = static_cast<std::size_t>(table.integer("connections", 64, 1, 4096));
    limits.group.delay = settings.commit_delay;
    limits.header_wait = table.seconds("header_s", limits.header_wait, base::Milliseconds(1000),
                                       base::Milliseconds(3'600'000));
    limits.line_wait = table.seconds("line_s", limits.line_wait, base::Milliseconds(1000),
                                     base::Milliseconds(3'600'000));
    MITRAL_CHECK(table.finish());
    return settings;
}

}  // namespace mitral::intake
