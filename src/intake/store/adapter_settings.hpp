// What the table of every kind of adapter in mitral.toml says alike.
#pragma once

#include <string>
#include <string_view>

#include "base/config.hpp"
#include "spool/writer.hpp"

namespace mitral::intake {

struct AdapterSettings {
    std::string vault;         // socket of the vault
    std::string status;        // status file; empty: none
    std::string user;          // become this user when started as root; empty: stay
    std::string reader_group;  // may read the spool (the uplink's); empty: leave
    spool::WriterOptions spool;
    base::Milliseconds commit_delay{0};  // gather this long before a commit; 0: one pass
};

// `kind` is the adapter's ("lines"): its own directory in the spool and under /run.
[[nodiscard]] AdapterSettings read_adapter_settings(base::Table& table, std::string_view kind);

}  // namespace mitral::intake
