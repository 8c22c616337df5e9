// mitral-intake-hl7: takes what patient monitors report in HL7 v2 and acknowledges what is on disk.
// Options and wiring; the library beside it does the work.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/config.hpp"
#include "base/errors.hpp"
#include "base/fail_point.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "intake/hl7/dialler.hpp"
#include "intake/hl7/equipment.hpp"
#include "intake/hl7/explain.hpp"
#include "intake/hl7/server.hpp"
#include "intake/hl7/settings.hpp"
#include "intake/hl7/status.hpp"
#include "intake/hl7/text.hpp"
#include "intake/hl7/vault_pseudonyms.hpp"
#include "intake/store/start_up.hpp"
#include "intake/store/status_file.hpp"
#include "intake/store/vault_keys.hpp"

namespace mitral::intake::hl7 {
namespace {

constexpr std::string_view program = "mitral-intake-hl7";

struct Options {
    std::string config = "/etc/mitral/mitral.toml";
    std::string capture;
    std::string code_table;
    std::string zone;
};

// Without a monitor to dial there is no network at all: what is accepted came over sockets that
// were opened outside (decision 9).
base::SandboxPolicy cage(const Settings& settings) {
    auto policy = sandbox_policy(settings.adapter);
    policy.internet = settings.dials();
    for (const auto& monitor : settings.monitors) {
        if (monitor.dial)
            policy.tcp_connect.push_back(monitor.dial->port);
    }
    return policy;
}

base::Status run(const Options& options) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(options.config));
    MITRAL_TRY(auto settings, read_settings(config));
    MITRAL_TRY(const auto equipment, Equipment::load(settings));
    MITRAL_TRY(const auto loop, base::EventLoop::create());
    MITRAL_CHECK(loop->on_termination([&loop] { loop->stop(); }));
    MITRAL_TRY(auto listeners, open_listeners(settings));
    MITRAL_CHECK(prepare_spool(settings.adapter));
    const CharacterSets character_sets;

    // From here on as the adapter's own user, with two directories and nobody to call but the
    // monitors that are to be dialled.
    MITRAL_TRY(const auto sandbox, base::enter_sandbox(cage(settings)));
    const base::SystemClock clock;
    VaultKeyIssuer keys(settings.adapter.vault);
    MITRAL_TRY(const auto writer, spool::Writer::open(settings.adapter.spool, keys, clock));
    MITRAL_FAIL_POINT("intake.spool-opened");
    VaultPseudonyms pseudonyms(ask_vault(settings.adapter.vault), clock);
    Interpreter interpreter(settings.pseudonyms ? &pseudonyms : nullptr);
    auto& monitors = equipment->monitors();
    Server server(*loop, *writer, clock, settings.limits, monitors, interpreter);
    StatusFile status(*loop, clock, settings.adapter.status, [&] {
        return describe_status(server.counters(), server.open_connections(), monitors, *writer,
                               clock.wall());
    });
    server.on_change([&status] { status.changed(); });
    for (auto& listener : listeners)
        MITRAL_CHECK(server.listen(std::move(listener)));
    std::vector<std::unique_ptr<Dialler>> diallers;
    for (const auto& [place, plan] : equipment->dials()) {
        diallers.push_back(
            std::make_unique<Dialler>(*loop, clock, server, monitors.all()[place], plan));
        diallers.back()->start();
    }
    base::log(base::Severity::notice, "intake-ready",
              {{"monitors", monitors.all().size()},
               {"listeners", settings.listeners.size()},
               {"dialled", diallers.size()},
               {"landlock", sandbox.landlock_abi},
               {"network-isolated", sandbox.network_isolated}});
    base::notify_ready();
    status.write_now();
    const auto ended = loop->run();
    server.shut_down();
    status.write_now();
    return ended;
}

// Offline: reads a file and prints; needs no settings and takes no rights.
base::Status explain_capture(const Options& options) {
    constexpr std::size_t largest_capture = 256U << 20;
    MITRAL_TRY(const auto capture, base::read_text_file(options.capture, largest_capture));
    Sender sender;
    sender.source = "monitor";
    Dialect dialect;
    if (!options.code_table.empty()) {
        MITRAL_TRY(dialect, load_code_table(options.code_table));
        sender.dialect = &dialect;
    }
    std::optional<Zone> zone;
    if (!options.zone.empty()) {
        MITRAL_TRY(zone, Zone::find(options.zone));
        sender.zone = &*zone;
    }
    if (explain(capture, sender, stdout) == 0)
        return base::fail(base::BaseError::malformed, "no HL7 message in " + options.capture);
    return {};
}

}  // namespace
}  // namespace mitral::intake::hl7

int main(int argc, char** argv) {
    CLI::App app("Takes what patient monitors report in HL7 v2 and puts it into the spool");
    mitral::intake::hl7::Options options;
    app.add_option("--config", options.config, "Configuration file")->capture_default_str();
    auto* capture = app.add_option("--explain", options.capture,
                                   "Say what of a capture (MLLP or plain) is understood, and end");
    app.add_option("--code-table", options.code_table, "The code table for --explain")
        ->needs(capture);
    app.add_option("--zone", options.zone, "The time zone for --explain")->needs(capture);
    app.set_version_flag("--version", MITRAL_VERSION);
    CLI11_PARSE(app, argc, argv);
    mitral::base::set_log_program(mitral::intake::hl7::program);
    auto status = options.capture.empty() ? mitral::intake::hl7::run(options)
                                          : mitral::intake::hl7::explain_capture(options);
    if (!status)
        return mitral::base::exit_with(mitral::intake::hl7::program, status.error());
    return 0;
}
