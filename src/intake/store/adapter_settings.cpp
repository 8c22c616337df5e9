#include "intake/store/adapter_settings.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace mitral::intake {
namespace {

constexpr std::uint64_t kibibyte = 1024;
constexpr std::uint64_t mebibyte = 1024 * 1024;

// An integer setting in units of `unit` bytes.
std::uint64_t bytes_of(base::Table& table, std::string_view key, std::int64_t fallback,
                       std::int64_t minimum, std::int64_t maximum, std::uint64_t unit) {
    return static_cast<std::uint64_t>(table.integer(key, fallback, minimum, maximum)) * unit;
}

}  // namespace

AdapterSettings read_adapter_settings(base::Table& table, std::string_view kind) {
    AdapterSettings settings;
    settings.vault = table.text("vault", "/run/mitral/vault/vault.sock");
    settings.status =
        table.text("status", fmt::format("/run/mitral/intake-{0}/intake-{0}.json", kind));
    settings.user = table.text("user", "");
    settings.reader_group = table.text("reader_group", "");

    auto& spool = settings.spool;
    spool.directory = table.text("spool", fmt::format("/var/lib/mitral/spool/{}", kind));
    spool.acknowledgement_directory = table.text("acknowledgements", "/var/lib/mitral/uplink");
    spool.max_bytes = bytes_of(table, "max_bytes_mb", 1024, 1, 1 << 20, mebibyte);
    spool.segment_bytes = bytes_of(table, "segment_mb", 16, 1, 1024, mebibyte);
    spool.batch_interval = table.seconds("batch_interval_s", base::Milliseconds(10'000),
                                         base::Milliseconds(0), base::Milliseconds(3'600'000));
    spool.batch_bytes =
        static_cast<std::uint32_t>(bytes_of(table, "batch_kb", 192, 0, 240, kibibyte));
    settings.commit_delay = base::Milliseconds(table.integer("commit_ms", 0, 0, 1000));
    return settings;
}

}  // namespace mitral::intake
