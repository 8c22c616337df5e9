#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "base/process.hpp"
#include "bedside/emit.hpp"
#include "bedside/ward.hpp"

namespace {

constexpr const char* program = "mitral-bedside";

using namespace mitral::bedside;
using mitral::base::Milliseconds;
using mitral::base::Result;
using mitral::base::Status;

struct Options {
    std::string plan, to, recording, book, dialect = "pcd", from;
    std::size_t beds = 1;
    double seconds = 0, speed = 1;
    std::uint64_t seed = 1, emit = 0;
    std::int64_t vitals_every_ms = 1000, waves_every_ms = 0;
    int window = 1;
    bool emit_on_demand = false, times = false;
    std::vector<std::string> faults;
};

// Every bed its own loopback address when `from` ends in ".*": 127.0.1.* gives 127.0.1.1 and on.
std::string source_address(const std::string& from, std::size_t number) {
    if (!from.ends_with(".*"))
        return from;
    return from.substr(0, from.size() - 1) + std::to_string(1 + number % 254);
}

Result<std::vector<BedPlan>> short_form(const Options& options) {
    std::vector<BedPlan> beds;
    MITRAL_TRY(const auto faults, parse_faults(options.faults));
    for (std::size_t i = 0; i < options.beds; ++i) {
        BedPlan bed;
        bed.source = fmt::format("bed-{}", i + 1);
        bed.dialect = find_dialect(options.dialect);
        bed.to = options.to.empty() ? "127.0.0.1:2575" : options.to;
        bed.from = source_address(options.from, i);
        bed.vitals_every = Milliseconds(options.vitals_every_ms);
        bed.waves_every = Milliseconds(options.waves_every_ms);
        bed.window = options.window;
        bed.first_row = i * 37;
        bed.faults = faults;
        beds.push_back(std::move(bed));
    }
    return beds;
}

Result<WardPlan> plan_of(const CLI::App& app, const Options& options) {
    WardPlan plan;
    if (!options.plan.empty()) {
        MITRAL_TRY(plan, read_plan(options.plan));
    } else {
        MITRAL_TRY(plan.beds, short_form(options));
    }
    if (app.count("--recording") > 0)
        plan.recording = options.recording;
    if (app.count("--book") > 0)
        plan.book = options.book;
    if (app.count("--seconds") > 0)
        plan.run = Milliseconds(static_cast<std::int64_t>(options.seconds * 1000));
    if (app.count("--speed") > 0)
        plan.speed = options.speed;
    if (app.count("--seed") > 0)
        plan.seed = options.seed;
    plan.times = plan.times || options.times;
    return plan;
}

Result<bool> run(const CLI::App& app, const Options& options) {
    MITRAL_TRY(const auto plan, plan_of(app, options));
    if (options.emit > 0 || options.emit_on_demand) {
        MITRAL_CHECK(emit(plan, options.emit, options.emit_on_demand));
        return true;
    }
    return run_ward(plan, [](const std::string& line) {
        std::puts(line.c_str());
        std::fflush(stdout);
    });
}

void add_options(CLI::App& app, Options& o) {
    auto* plan = app.add_option("--plan", o.plan, "TOML file with [ward] and [[bed]] tables");
    app.add_option("--to", o.to, "Gateway, numeric ADDRESS:PORT (default 127.0.0.1:2575)")
        ->excludes(plan);
    app.add_option("--beds", o.beds, "Monitors, sources bed-1, bed-2 …")
        ->check(CLI::Range(std::size_t{1}, max_beds))
        ->excludes(plan);
    app.add_option("--dialect", o.dialect, "pcd, local, private or queried")
        ->check(CLI::IsMember({"pcd", "local", "private", "queried"}))
        ->excludes(plan);
    app.add_option("--from", o.from, "Source address; 127.0.1.* gives each monitor its own")
        ->excludes(plan);
    app.add_option("--vitals-every", o.vitals_every_ms,
                   "Milliseconds between messages of numbers; 0: none")
        ->check(CLI::Range(0, 86'400'000))
        ->excludes(plan);
    app.add_option("--waves-every", o.waves_every_ms,
                   "Milliseconds of waveforms in a message; 0: none")
        ->check(CLI::Range(0, 60'000))
        ->excludes(plan);
    app.add_option("--window", o.window, "Messages on the way at once")
        ->check(CLI::Range(1, 1000))
        ->excludes(plan);
    app.add_option("--fault", o.faults, "Fault to make; repeat for more, or 'all'")->excludes(plan);
    app.add_option("--recording", o.recording, "Folder of the recordings");
    app.add_option("--book", o.book, "Folder of the books; none without it");
    app.add_option("--seconds", o.seconds, "End after so long; 0: at a signal")
        ->check(CLI::Range(0.0, 1e7));
    app.add_option("--speed", o.speed, "So many times faster; 0: as fast as acknowledgements allow")
        ->check(CLI::Range(0.0, 10'000.0));
    app.add_option("--seed", o.seed, "Of faults and invented patients");
    app.add_flag("--times", o.times, "Write when each message was sent and acknowledged");
    app.add_option("--emit", o.emit,
                   "Print so many messages of each bed as JSON instead of sending");
    app.add_flag("--emit-on-demand", o.emit_on_demand,
                 "Print one for every line of standard input");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulated patient monitors that speak HL7 v2 over MLLP");
    app.set_version_flag("--version", MITRAL_VERSION);
    Options options;
    add_options(app, options);
    CLI11_PARSE(app, argc, argv);
    const auto done = run(app, options);
    if (!done)
        return mitral::base::exit_with(program, done.error());
    return *done ? EXIT_SUCCESS : EXIT_FAILURE;
}
