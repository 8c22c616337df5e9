// mitral: looks at a unit, provisions it on a development bench, and says what is wrong with it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "base/config.hpp"
#include "base/process.hpp"
#include "mitral/doctor.hpp"
#include "mitral/order.hpp"
#include "mitral/provision.hpp"
#include "mitral/settings.hpp"
#include "mitral/status.hpp"
#include "mitral/trust.hpp"
#include "mitral/verify.hpp"

namespace {

using namespace mitral;

constexpr const char* program = "mitral";

struct Arguments {
    std::string config = "/etc/mitral/mitral.toml";
    cli::ProvisionArguments provision;
    cli::TrustSignArguments trust;
    cli::OrderArguments order;
    std::string order_file;
    std::string bundle;
    cli::VerifyArguments verify;
    bool record = false;
    bool json = false;
    std::int64_t timeout_s = 10;
};

int finish(const base::Status& status) {
    return status ? EXIT_SUCCESS : base::exit_with(program, status.error());
}

base::Result<cli::UnitSettings> load(const std::string& path) {
    MITRAL_TRY(const auto config, base::Config::load(path));
    return cli::read_unit_settings(config);
}

int run_verify(const Arguments& arguments) {
    const auto settings = load(arguments.config);
    if (!settings)
        return base::exit_with(program, settings.error());
    fmt::print("{} is good\n", arguments.config);
    return EXIT_SUCCESS;
}

int run_status(const Arguments& arguments) {
    const auto settings = load(arguments.config);
    if (!settings)
        return base::exit_with(program, settings.error());
    const auto report = cli::describe_unit(*settings, base::SystemClock());
    fmt::print("{}", arguments.json ? report.json : report.text);
    return report.complete ? EXIT_SUCCESS : EXIT_FAILURE;
}

int run_doctor(const Arguments& arguments) {
    if (const auto hardened = base::harden_process(); !hardened)
        return base::exit_with(program, hardened.error());
    const base::SystemClock clock;
    const cli::DoctorOptions options{arguments.config, base::Seconds(arguments.timeout_s)};
    const auto findings = cli::examine(options, cli::real_instruments(clock));
    fmt::print("{}", arguments.json ? cli::to_json(findings) : cli::to_text(findings));
    return cli::first_failure(findings) == nullptr ? EXIT_SUCCESS : EXIT_FAILURE;
}

base::Status provision_unit(const Arguments& arguments) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto settings, load(arguments.config));
    const auto socket = cli::vault_socket_of(settings);
    const auto& marks = arguments.verify.marks_file;
    if (!marks.empty())
        MITRAL_CHECK(cli::check_no_marks(marks));
    MITRAL_CHECK(cli::provision(socket, arguments.provision));
    fmt::print("provisioned: {} in {}\n", arguments.provision.registration_id,
               arguments.provision.id_scope);
    if (!marks.empty())
        return cli::record_provisioned(socket, arguments.provision.registration_id, marks,
                                       base::SystemClock().wall().unix_seconds());
    return {};
}

int run_trust_sign(const Arguments& arguments) {
    const auto bundle = cli::sign_trust(arguments.trust);
    if (!bundle)
        return base::exit_with(program, bundle.error());
    fmt::print("{}", *bundle);
    return EXIT_SUCCESS;
}

base::Status install_trust(const Arguments& arguments) {
    MITRAL_TRY(const auto settings, load(arguments.config));
    MITRAL_TRY(const auto version, cli::install_trust(settings, arguments.bundle));
    fmt::print("trust bundle {} is installed; restart mitral-enrol and mitral-uplink to use it\n",
               version);
    return {};
}

base::Status print_order(const Arguments& arguments) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto order, cli::sign_order(arguments.order, base::SystemClock()));
    fmt::print("{}", order);
    return {};
}

base::Status execute_order(const Arguments& arguments) {
    MITRAL_TRY(const auto settings, load(arguments.config));
    MITRAL_TRY(const auto order,
               cli::execute_order(cli::vault_socket_of(settings), arguments.order_file));
    fmt::print("done: {} of {}\n", vault::to_string(order.kind), order.registration_id);
    return {};
}

// 2: something was found; 1: it could not be looked for.
int run_verify_evidence(const Arguments& arguments) {
    constexpr int found = 2;
    const auto now_s = base::SystemClock().wall().unix_seconds();
    if (arguments.record)
        return finish(cli::record_unit(arguments.verify, now_s));
    // At once: what was found stands, whatever becomes of the marks.
    const auto findings = cli::verify_evidence(arguments.verify, now_s, [](const auto& finding) {
        fmt::print("{}\n", verify::line_of(finding));
        (void)std::fflush(stdout);
    });
    if (!findings)
        return base::exit_with(program, findings.error());
    return *findings == 0 ? EXIT_SUCCESS : found;
}

base::Status print_attestation(const Arguments& arguments) {
    MITRAL_TRY(const auto settings, load(arguments.config));
    MITRAL_TRY(const auto attestation,
               cli::attest_unit(cli::vault_socket_of(settings), arguments.verify.nonce));
    fmt::print("{}", attestation);
    return {};
}

base::Status print_statement(const Arguments& arguments) {
    MITRAL_TRY(const auto settings, load(arguments.config));
    MITRAL_TRY(const auto statement, cli::print_statement(cli::vault_socket_of(settings)));
    fmt::print("{}", statement);
    return {};
}

void add_views(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
    auto* doctor = app.add_subcommand(
        "doctor",
        "Examine every layer from the configuration to the hub; name the first that fails");
    doctor->add_flag("--json", arguments.json, "Print JSON");
    doctor->add_option("--timeout-s", arguments.timeout_s, "For each step on the network")
        ->capture_default_str()
        ->check(CLI::Range(1, 120));
    doctor->callback([&] { chosen = [&] { return run_doctor(arguments); }; });

    auto* status = app.add_subcommand("status", "Show what this unit is and does");
    status->add_flag("--json", arguments.json, "Print JSON");
    status->callback([&] { chosen = [&] { return run_status(arguments); }; });

    app.add_subcommand("verify-config", "Read the configuration file as every program would")
        ->callback([&] { chosen = [&] { return run_verify(arguments); }; });
    app.add_subcommand("version", "Print the version")->callback([&] {
        chosen = [] {
            fmt::print("{} {}\n", program, MITRAL_VERSION);
            return EXIT_SUCCESS;
        };
    });
}

// What both `provision` and a policy order say.
void add_policy(CLI::App& command, cli::ProvisionArguments& to) {
    command.add_option("--id-scope", to.id_scope, "ID scope of the provisioning service");
    command.add_option("--dps-host", to.dps_host, "Provisioning service, host[:port]");
    command.add_option("--hub", to.hubs, "A hub the unit may talk to, host[:port]; repeatable");
    command.add_option("--module", to.modules, "A module identity it may mint for; repeatable");
    command.add_option("--quarantine-module", to.quarantine_module,
                       "The module that may still send in quarantine");
    command.add_option("--time-key", to.time_key_file,
                       "Public key of the authority of signed time (Roughtime), base64");
    command.add_option("--subject-key", to.subject_key_file,
                       "The hospital's key for pseudonyms of patients, base64");
    command.add_option("--max-lifetime-s", to.max_lifetime_s, "Longest life of a token")
        ->capture_default_str();
    command.add_option("--allowance-s", to.allowance_s,
                       "How far a token may outlive the last signed time: 400 days, or 2 days with "
                       "--time-key");
}

void add_provision(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
    auto& to = arguments.provision;
    auto* command = app.add_subcommand(
        "provision",
        "Give this unit its identity (development station; signs with the station's key)");
    command->add_option("--station-key", to.station_key_file, "Ed25519 private key: PEM or base64")
        ->required();
    command
        ->add_option("--group-key-file", to.group_key_file,
                     "Group key of the DPS enrolment, base64")
        ->required();
    command->add_option("--registration-id", to.registration_id, "Identity of this unit")
        ->required();
    add_policy(*command, to);
    command->add_option("--fleet-key", to.fleet_key_file,
                        "Public key that may sign later orders, base64");
    command->add_option("--marks", arguments.verify.marks_file,
                        "Record the unit's attestation key here, for verify");
    for (const auto* needed : {"--id-scope", "--dps-host", "--hub"})
        command->get_option(needed)->required();
    command->callback([&] { chosen = [&] { return finish(provision_unit(arguments)); }; });
}

void add_trust(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
    auto* trust = app.add_subcommand("trust", "Roll the pinned roots over with a signed bundle");
    trust->require_subcommand(1);
    auto* sign = trust->add_subcommand("sign", "Print a bundle (fleet side)");
    sign->add_option("--version", arguments.trust.version, "Higher than every bundle before")
        ->required()
        ->check(CLI::PositiveNumber);
    sign->add_option("--key", arguments.trust.key_file, "Ed25519 private key: PEM or base64")
        ->required();
    sign->add_option("roots", arguments.trust.root_files, "PEM files of the new roots")->required();
    sign->callback([&] { chosen = [&] { return run_trust_sign(arguments); }; });

    auto* install = trust->add_subcommand("install", "Take a newer bundle into use");
    install->add_option("bundle", arguments.bundle, "The signed bundle")->required();
    install->callback([&] { chosen = [&] { return finish(install_trust(arguments)); }; });
}

void add_order_sign(CLI::App& order, Arguments& arguments, std::function<int()>& chosen) {
    auto& to = arguments.order;
    auto* sign = order.add_subcommand("sign", "Print a signed order (station or fleet side)");
    sign->add_option("--kind", to.kind,
                     "rotate, confirm-rotation, policy, quarantine, release, wipe")
        ->required();
    sign->add_option("--registration-id", to.about.registration_id, "The unit it is for")
        ->required();
    sign->add_option("--station-key", to.about.station_key_file, "Ed25519 private key that signs");
    sign->add_option("--fleet-key", to.fleet_key_file, "The fleet's, instead of the station's");
    sign->add_option("--counter", to.counter,
                     "Above every order's before; default: milliseconds since 1970")
        ->check(CLI::PositiveNumber);
    sign->add_option("--reason", to.reason, "quarantine, wipe: at most 64 characters");
    sign->add_flag("--signed-time", to.signed_time, "Raise the unit's time floor to this clock");
    sign->add_option("--statement", to.statement_file,
                     "rotate, policy with --subject-key: from order statement on the unit");
    sign->add_option("--group-key-file", to.about.group_key_file, "rotate: the new group key");
    add_policy(*sign, to.about);
    sign->add_option("--policy-fleet-key", to.about.fleet_key_file,
                     "policy: public key that may sign later orders, base64");
    sign->callback([&] { chosen = [&] { return finish(print_order(arguments)); }; });
}

void add_order(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
    auto* order = app.add_subcommand("order", "Sign and carry out orders to a unit's trust zone");
    order->require_subcommand(1);
    add_order_sign(*order, arguments, chosen);
    auto* execute = order->add_subcommand("execute", "Give a signed order to this unit's vault");
    execute->add_option("order", arguments.order_file, "What order sign printed")->required();
    execute->callback([&] { chosen = [&] { return finish(execute_order(arguments)); }; });
    order->add_subcommand("statement", "Print what a rotation wraps the new key for")
        ->callback([&] { chosen = [&] { return finish(print_statement(arguments)); }; });
}

void add_verify(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
    auto& to = arguments.verify;
    auto* attest =
        app.add_subcommand("attest", "Print what this unit's trust zone signs of itself");
    attest->add_option("--nonce", to.nonce, "The verifier's, 64 hex digits");
    attest->callback([&] { chosen = [&] { return finish(print_attestation(arguments)); }; });

    auto* verify = app.add_subcommand(
        "verify", "Judge a unit's checkpoints or attestations by the marks kept of it");
    verify->add_option("--marks", to.marks_file, "What is known of the unit; kept up to date")
        ->required();
    auto* nonce = verify->add_option("--nonce", to.nonce,
                                     "64 hex digits: the files hold attestations over it");
    verify->add_flag("--record", arguments.record, "Take a unit up: make its file of marks")
        ->needs(nonce);
    verify
        ->add_option("--max-silence-s", to.max_silence_s,
                     "Complain when the last good checkpoint is older")
        ->check(CLI::PositiveNumber);
    verify
        ->add_option("--max-age-s", to.demands.max_age_s,
                     "Complain of a checkpoint that was kept back for longer")
        ->check(CLI::PositiveNumber)
        ->excludes(nonce);
    verify->add_option("--order-counter", to.demands.order_counter,
                       "Of an order that was given: complain when it was not taken");
    verify->add_option("--log", to.log_files, "A consumer's messages, one JSON object a line")
        ->excludes(nonce);
    verify->add_option("--device", to.device, "Whose messages of the log; default: the unit's id");
    verify->add_option("evidence", to.evidence_files,
                       "Files, one piece of evidence a line, base64");
    verify->callback([&] { chosen = [&] { return run_verify_evidence(arguments); }; });
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    std::function<int()> chosen;
    CLI::App app("Looks after a Mitral gateway.", program);
    app.add_option("--config", arguments.config, "Configuration file")->capture_default_str();
    app.set_version_flag("--version", std::string(program) + " " + MITRAL_VERSION);
    app.require_subcommand(1);
    app.fallthrough();  // --config may stand behind the subcommand

    add_views(app, arguments, chosen);
    add_provision(app, arguments, chosen);
    add_order(app, arguments, chosen);
    add_trust(app, arguments, chosen);
    add_verify(app, arguments, chosen);
    CLI11_PARSE(app, argc, argv);
    return chosen();
}
