// mitral-intake-lines: takes readings as lines of JSON and answers when they are on disk. Options
// and wiring; the library beside it does the work.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "base/config.hpp"
#include "base/fail_point.hpp"
#include "base/local_socket.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "intake/lines/server.hpp"
#include "intake/lines/settings.hpp"
#include "intake/lines/status.hpp"
#include "intake/store/start_up.hpp"
#include "intake/store/status_file.hpp"
#include "intake/store/vault_keys.hpp"

namespace mitral::intake {
namespace {

constexpr std::string_view program = "mitral-intake-lines";

struct Options {
    std::string config = "/etc/mitral/mitral.toml";
    bool standard_input = false;
};

base::Result<base::UniqueFd> open_socket(const Settings& settings) {
    MITRAL_TRY(auto listener, base::listen_stream(settings.socket, 0660));
    if (!settings.socket_group.empty()) {
        MITRAL_TRY(const auto group, base::group_id(settings.socket_group));
        if (::lchown(settings.socket.c_str(), static_cast<uid_t>(-1), group) != 0)
            return base::fail_errno("give " + settings.socket + " to group " +
                                    settings.socket_group);
    }
    return listener;
}

base::Status run(const Options& options) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(options.config));
    MITRAL_TRY(auto settings, read_settings(config));
    MITRAL_TRY(const auto loop, base::EventLoop::create());
    MITRAL_CHECK(loop->on_termination([&loop] { loop->stop(); }));
    base::UniqueFd listener;
    if (!options.standard_input) {
        MITRAL_TRY(listener, open_socket(settings));
    }
    MITRAL_CHECK(prepare_spool(settings));

    // From here on as the intake's own user, without a network and with two directories.
    MITRAL_TRY(const auto sandbox, base::enter_sandbox(sandbox_policy(settings)));
    const base::SystemClock clock;
    VaultKeyIssuer keys(settings.vault);
    MITRAL_TRY(const auto writer, spool::Writer::open(settings.spool, keys, clock));
    MITRAL_FAIL_POINT("intake.spool-opened");
    Server server(*loop, *writer, clock, settings.limits);
    StatusFile status(*loop, clock, settings.status, [&] {
        return describe_status(server.counters(), server.open_connections(), *writer, clock.wall());
    });
    server.on_change([&status] { status.changed(); });
    if (options.standard_input) {
        MITRAL_CHECK(server.serve(base::UniqueFd(STDIN_FILENO), base::UniqueFd(STDOUT_FILENO),
                                  [&] { loop->stop(); }));
    } else {
        MITRAL_CHECK(server.listen(std::move(listener)));
    }
    base::log(base::Severity::notice, "intake-ready",
              {{"socket", options.standard_input ? "standard input" : settings.socket},
               {"landlock", sandbox.landlock_abi},
               {"network-isolated", sandbox.network_isolated}});
    base::notify_ready();
    status.write_now();
    const auto ended = loop->run();
    server.shut_down();
    status.write_now();
    return ended;
}

}  // namespace
}  // namespace mitral::intake

int main(int argc, char** argv) {
    CLI::App app("Takes readings as lines of JSON (mitral.lines/1) and puts them into the spool");
    mitral::intake::Options options;
    app.add_option("--config", options.config, "Configuration file")->capture_default_str();
    app.add_flag("--stdin", options.standard_input,
                 "Read from standard input, answer on standard output, end with the input");
    app.set_version_flag("--version", MITRAL_VERSION);
    CLI11_PARSE(app, argc, argv);
    mitral::base::set_log_program(mitral::intake::program);
    if (auto status = mitral::intake::run(options); !status)
        return mitral::base::exit_with(mitral::intake::program, status.error());
    return 0;
}
