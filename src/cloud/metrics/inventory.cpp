#include "cloud/metrics/inventory.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include "base/fd.hpp"

namespace mitral::cloud::metrics {
namespace {

struct Family {
    std::string_view name;
    std::string_view help;
    std::string_view sql;    // rows of name and number
    std::string_view label;  // of the names
    std::vector<std::string_view> names;
};

// Every name stands there from the first scrape on, with 0.
base::Status add_family(Exposition& out, const store::Database& database, const Family& family) {
    std::map<std::string, std::int64_t, std::less<>> found;
    auto query = database.prepare(family.sql);
    for (;;) {
        MITRAL_TRY(const bool row, query.step());
        if (!row)
            break;
        found[query.text(0)] = query.integer(1);
    }
    out.gauge(family.name, family.help);
    for (const auto name : family.names) {
        const auto at = found.find(name);
        out.sample(family.label, name,
                   at == found.end() ? 0 : static_cast<std::uint64_t>(at->second));
    }
    return {};
}

std::optional<std::uint64_t> resident_pages() {
    const base::UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    std::array<char, 128> text{};
    const auto size = file.valid() ? ::read(file.get(), text.data(), text.size()) : -1;
    if (size <= 0)
        return std::nullopt;
    const std::string_view numbers(text.data(), static_cast<std::size_t>(size));
    const auto second = numbers.substr(numbers.find(' ') + 1);
    std::uint64_t pages = 0;
    const auto [end, error] = std::from_chars(second.data(), second.data() + second.size(), pages);
    return error == std::errc() ? std::optional(pages) : std::nullopt;
}

std::int64_t milliseconds(const timeval& time) {
    return time.tv_sec * 1000 + time.tv_usec / 1000;
}

}  // namespace

base::Status add_inventory(Exposition& out, const store::Database& database) {
    const std::array<Family, 7> families{
        {{"devices",
          "Devices in the registry.",
          "SELECT iif(enabled, 'enabled', 'disabled'), count(*) FROM device GROUP BY 1",
          "status",
          {"enabled", "disabled"}},
         {"twins",
          "Twins that were ever changed.",
          "SELECT iif(module = '', 'device', 'module'), count(*) FROM twin GROUP BY 1",
          "of",
          {"device", "module"}},
         {"enrolments",
          "Enrolments of the provisioning service.",
          "SELECT kind, count(*) FROM enrollment GROUP BY 1",
          "kind",
          {"group", "individual"}},
         {"registrations",
          "Registrations by state.",
          "SELECT status, count(*) FROM registration GROUP BY 1",
          "state",
          {"assigning", "assigned"}},
         {"jobs",
          "Scheduled jobs that are kept.",
          "SELECT status, count(*) FROM job GROUP BY 1",
          "state",
          {"scheduled", "queued", "running", "completed", "failed", "cancelled"}},
         {"update_deployments",
          "Deployments of updates, by class of devices.",
          "SELECT lower(state), count(*) FROM adu_subgroup_deployment GROUP BY 1",
          "state",
          {"active", "inactive", "canceled"}},
         {"update_devices",
          "Devices in deployments of updates.",
          "SELECT lower(state), count(*) FROM adu_device_state GROUP BY 1",
          "state",
          {"inprogress", "succeeded", "failed", "canceled"}}}};
    for (const auto& family : families)
        MITRAL_CHECK(add_family(out, database, family));
    auto waiting = database.prepare("SELECT count(*) FROM devicebound");
    MITRAL_TRY(const bool row, waiting.step());
    out.gauge("devicebound_waiting", "Cloud-to-device messages that are not settled.")
        .sample(row ? static_cast<std::uint64_t>(waiting.integer(0)) : 0);
    return {};
}

void add_process(Exposition& out, std::int64_t started_ms) {
    if (const auto pages = resident_pages())
        out.gauge("process_resident_memory_bytes", "Memory of the process that is in use.")
            .sample(*pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0)
        out.counter("process_cpu_seconds_total", "Processor time.")
            .seconds(milliseconds(used.ru_utime) + milliseconds(used.ru_stime));
    out.gauge("process_start_time_seconds", "Start of the process, since 1970.")
        .seconds(started_ms);
}

}  // namespace mitral::cloud::metrics
