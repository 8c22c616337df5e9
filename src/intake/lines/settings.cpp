#include "intake/lines/settings.hpp"

#include <cstdint>

namespace mitral::intake {
namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

// An integer setting in units of `unit` bytes.
std::uint64_t bytes_of(base::Table& table, std::string_view key, std::int64_t fallback,
                       std::int64_t minimum, std::int64_t maximum, std::uint64_t unit) {
    return static_cast<std::uint64_t>(table.integer(key, fallback, minimum, maximum)) * unit;
}

}  // namespace

base::Result<Settings> read_settings(const base::Config& config) {
    auto table = config.table("intake-lines");
    Settings settings;
    settings.socket = table.text("socket", "/run/mitral/intake-lines/intake-lines.sock");
    settings.socket_group = table.text("socket_group", "");
    settings.vault = table.text("vault", "/run/mitral/vault/vault.sock");
    settings.status = table.text("status", "/run/mitral/intake-lines/intake-lines.json");
    settings.user = table.text("user", "");
    settings.reader_group = table.text("reader_group", "");

    auto& spool = settings.spool;
    spool.directory = table.text("spool", "/var/lib/mitral/spool/lines");
    spool.acknowledgement_directory = table.text("acknowledgements", "/var/lib/mitral/uplink");
    spool.max_bytes = bytes_of(table, "max_bytes_mb", 1024, 1, 1 << 20, mebibyte);
    spool.segment_bytes = bytes_of(table, "segment_mb", 16, 1, 1024, mebibyte);
    spool.batch_interval = table.seconds("batch_interval_s", base::Milliseconds(10'000),
                                         base::Milliseconds(0), base::Milliseconds(3'600'000));
    spool.batch_bytes = static_cast<std::uint32_t>(bytes_of(table, "batch_kb", 192, 0, 240, 1024));

    auto& limits = settings.limits;
    limits.connections = static_cast<std::size_t>(table.integer("connections", 64, 1, 4096));
    limits.commit_delay = base::Milliseconds(table.integer("commit_ms", 0, 0, 1000));
    limits.header_wait = table.seconds("header_s", limits.header_wait, base::Milliseconds(1000),
                                       base::Milliseconds(3'600'000));
    limits.line_wait = table.seconds("line_s", limits.line_wait, base::Milliseconds(1000),
                                     base::Milliseconds(3'600'000));
    MITRAL_CHECK(table.finish());
    return settings;
}

}  // namespace mitral::intake
