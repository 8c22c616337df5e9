#include "intake/lines/status.hpp"

#include <fmt/format.h>

#include "intake/store/status_file.hpp"

namespace mitral::intake {

std::string describe_status(const Counters& counters, std::size_t open_connections,
                            const spool::Writer& writer, base::WallTime now) {
    return fmt::format(
        R"({{"program":"mitral-intake-lines","updated":"{}","open_connections":{},"connections":{},)"
        R"("rejected":{},"lines":{},"readings":{},"observations":{},"refused":{},"later":{},)"
        R"("duplicates":{},"unknown_codes":{},"lanes":{}}})"
        "\n",
        base::to_iso8601(now), open_connections, counters.connections, counters.rejected,
        counters.lines, counters.readings, counters.observations, counters.refused,
        counters.postponed, counters.duplicates, counters.unknown_codes, describe_lanes(writer));
}

}  // namespace mitral::intake
