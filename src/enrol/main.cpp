// mitral-enrol: registers this unit with the Device Provisioning Service, once, and notes its hub.
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "base/config.hpp"
#include "base/crypto.hpp"
#include "base/fail_point.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "enrol/assignment.hpp"
#include "enrol/errors.hpp"
#include "enrol/settings.hpp"

namespace {

using namespace mitral;

constexpr const char* program = "mitral-enrol";

struct Arguments {
    std::string config = "/etc/mitral/mitral.toml";
    bool if_missing = false;
};

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts)
        all.append(text).append("\n");
    return all;
}

void sleep_for(base::Milliseconds wait) {
    timespec left{static_cast<time_t>(wait.count() / 1000),
                  static_cast<long>(wait.count() % 1000 * 1'000'000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}

base::Status enter_cage(const enrol::Settings& settings) {
    base::SandboxPolicy policy;
    policy.user = settings.user;
    policy.writable = {directory_of(settings.assignment_file)};
    policy.tcp_connect = {settings.proxy ? settings.proxy->port : settings.dps.port};
    policy.internet = true;
    MITRAL_TRY(const auto report, base::enter_sandbox(policy));
    (void)report;
    return {};
}

enrol::HttpsOptions https_options(const enrol::Settings& settings, std::string roots_pem) {
    enrol::HttpsOptions options;
    options.server = settings.dps;
    options.proxy = settings.proxy;
    options.roots_pem = std::move(roots_pem);
    options.minimum_tls = settings.minimum_tls;
    options.connect_timeout = settings.connect_timeout;
    options.timeout = settings.request_timeout;
    options.user_agent = std::string(program) + "/" + MITRAL_VERSION;
    return options;
}

base::Status enrol_unit(const enrol::Settings& settings) {
    MITRAL_TRY(const auto roots, net::pinned_roots(settings.trust));
    MITRAL_CHECK(enter_cage(settings));
    MITRAL_TRY(const auto vault, vault::Client::connect(settings.vault_socket));
    MITRAL_TRY(const auto status, vault->status());
    MITRAL_CHECK(enrol::check_identity(status));
    MITRAL_CHECK(enrol::check_server(status, settings.dps));

    MITRAL_TRY(const auto https, enrol::make_https(https_options(settings, joined(roots))));
    const base::SystemClock clock;
    const enrol::Surroundings surroundings{*https, *vault, clock, sleep_for, base::random_u64};
    MITRAL_TRY(const auto outcome, enrol::register_unit(surroundings, settings.registration));

    MITRAL_FAIL_POINT("enrol.registered");
    const auto dps = settings.dps.host + ":" + std::to_string(settings.dps.port);
    MITRAL_CHECK(enrol::write_assignment(settings.assignment_file,
                                         {outcome.hub, outcome.device_id, dps, clock.wall()}));
    MITRAL_FAIL_POINT("enrol.assignment-stored");
    base::log(base::Severity::notice, "registered",
              {{"hub", outcome.hub},
               {"device", outcome.device_id},
               {"substatus", outcome.substatus},
               {"hub_confirmed", outcome.hub_confirmed ? "yes" : "no"}});
    return {};
}

base::Status run(const Arguments& arguments) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(arguments.config));
    MITRAL_TRY(const auto settings, enrol::read_settings(config.table("enrol")));
    if (arguments.if_missing && enrol::has_assignment(settings.assignment_file))
        return {};
    return enrol_unit(settings);
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("Registers this unit with the Device Provisioning Service and notes its hub.",
                 program);
    app.add_option("--config", arguments.config, "Configuration file")->capture_default_str();
    app.add_flag("--if-missing", arguments.if_missing,
                 "Do nothing when an assignment exists already");
    app.set_version_flag("--version", std::string(program) + " " + MITRAL_VERSION);
    CLI11_PARSE(app, argc, argv);

    base::set_log_program(program);
    const auto status = run(arguments);
    if (status)
        return EXIT_SUCCESS;
    (void)base::exit_with(program, status.error());
    // EX_TEMPFAIL lets the unit file tell "try again" from "a person has to look".
    return enrol::is_temporary(status.error().code) ? EX_TEMPFAIL : EXIT_FAILURE;
}
