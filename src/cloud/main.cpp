#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>

#include "base/log.hpp"
#include "base/process.hpp"
#include "cloud/authority_commands.hpp"
#include "cloud/commands.hpp"
#include "cloud/fault_commands.hpp"
#include "cloud/send_command.hpp"
#include "cloud/service_commands.hpp"
#include "cloud/update_commands.hpp"

namespace {

constexpr const char* program = "mitral-cloud";

using mitral::base::Result;
using mitral::base::Status;
using mitral::cloud::Settings;

// Command line options that were given; the rest comes from the file, then from the defaults.
struct Options {
    std::string config;
    Settings given;
    CLI::App* command = nullptr;

    template <typename T>
    void override(const char* name, T Settings::* field, Settings& settings) const {
        if (command->count(name) > 0)
            settings.*field = given.*field;
    }
};

void add_serve_options(CLI::App& app, Options& options) {
    auto& s = options.given;
    const CLI::Range leniency(std::int64_t{0}, mitral::cloud::longest_leniency_s);
    app.add_option("--config", options.config, "Configuration file; its [cloud] table is read");
    app.add_option("--state", s.state, "State directory")->capture_default_str();
    app.add_option("--name", s.names, "Host name of hub and DPS; repeat for more");
    app.add_option("--listen", s.listen, "Address for clients")->capture_default_str();
    app.add_option("--mqtt-port", s.mqtt_port, "MQTT over TLS; 0: any free port")
        ->capture_default_str();
    app.add_option("--https-port", s.https_port, "DPS and registry over HTTPS")
        ->capture_default_str();
    app.add_option("--amqp-port", s.amqp_port,
                   "AMQP 1.0 over TLS, 5671 on Azure; none without this option");
    app.add_option("--consumer-group", s.consumer_groups,
                   "Consumer group besides $Default; repeat for more");
    app.add_option("--admin-port", s.admin_port, "Plain HTTP on 127.0.0.1")->capture_default_str();
    app.add_option("--files-port", s.files_port, "Plain HTTP for files of updates; default: none");
    app.add_option("--time-port", s.time_port,
                   "Signed time (Roughtime) over UDP and TCP; not served without it");
    app.add_option("--assigned-hub", s.assigned_hub, "What DPS tells devices, host:port");
    app.add_option_function<std::int64_t>(
           "--expiry-grace", [&s](std::int64_t v) { s.expiry_grace = mitral::base::Seconds(v); },
           "Seconds a connection outlives its token")
        ->check(leniency);
    app.add_option_function<std::int64_t>(
           "--clock-skew", [&s](std::int64_t v) { s.clock_skew = mitral::base::Seconds(v); },
           "Seconds a token is still taken past its end")
        ->check(leniency);
    app.add_option("--log-max-mb", s.log_max_mb, "Bound of the message log; 0: none")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t{0}, mitral::cloud::largest_log_mb));
    app.add_option("--tier", s.tier, "Keep to the limits of this tier of IoT Hub: F1, S1, S2, S3");
    app.add_option("--units", s.units, "Units of the tier")->capture_default_str();
    app.add_option("--as-observed", s.as_observed,
                   "Behave as somebody saw Azure do, not as it is documented; repeat for more");
    app.add_option("--user", s.user, "Become this user when started as root");
}

Status run_serve(const Options& options) {
    Settings settings;
    if (!options.config.empty()) {
        MITRAL_TRY(const auto config, mitral::base::Config::load(options.config));
        MITRAL_CHECK(mitral::cloud::read_settings(config.table("cloud"), settings));
    }
    options.override("--state", &Settings::state, settings);
    options.override("--name", &Settings::names, settings);
    options.override("--listen", &Settings::listen, settings);
    options.override("--mqtt-port", &Settings::mqtt_port, settings);
    options.override("--https-port", &Settings::https_port, settings);
    options.override("--amqp-port", &Settings::amqp_port, settings);
    options.override("--consumer-group", &Settings::consumer_groups, settings);
    options.override("--admin-port", &Settings::admin_port, settings);
    options.override("--files-port", &Settings::files_port, settings);
    options.override("--time-port", &Settings::time_port, settings);
    options.override("--assigned-hub", &Settings::assigned_hub, settings);
    options.override("--expiry-grace", &Settings::expiry_grace, settings);
    options.override("--clock-skew", &Settings::clock_skew, settings);
    options.override("--log-max-mb", &Settings::log_max_mb, settings);
    options.override("--tier", &Settings::tier, settings);
    options.override("--units", &Settings::units, settings);
    options.override("--as-observed", &Settings::as_observed, settings);
    options.override("--user", &Settings::user, settings);
    MITRAL_CHECK(mitral::cloud::check(settings));
    return mitral::cloud::serve(settings);
}

// All arguments outlive the parsing and the action.
void add_authority_commands(CLI::App& app, std::function<Status()>& action, std::string& state,
                            std::string& name, std::string& file) {
    auto* authorities = app.add_subcommand(
        "ca-certificate", "Certificate authorities whose device certificates are taken");
    authorities->require_subcommand(1);
    const auto with_state = [&](const char* command, const char* help) {
        auto* sub = authorities->add_subcommand(command, help);
        sub->add_option("--state", state, "State directory")->capture_default_str();
        return sub;
    };
    auto* add = with_state("add", "Take certificates of this authority; replaces one of its name");
    add->add_option("--name", name, "Its name")->required();
    add->add_option("--file", file, "Its certificate, PEM")->required();
    add->callback(
        [&] { action = [&] { return mitral::cloud::add_authority(state, name, file); }; });
    with_state("list", "List them")->callback([&] {
        action = [&] { return mitral::cloud::list_authorities(state); };
    });
    auto* remove = with_state("remove", "Take no new connections under this authority");
    remove->add_option("--name", name, "Its name")->required();
    remove->callback(
        [&] { action = [&] { return mitral::cloud::remove_authority(state, name); }; });
}

}  // namespace

int main(int argc, char** argv) {
    mitral::base::set_log_program(program);
    CLI::App app("A local Azure: IoT Hub and Device Provisioning Service over MQTT and HTTPS");
    app.set_version_flag("--version", MITRAL_VERSION);
    app.require_subcommand(1);

    std::function<Status()> action;
    Options options;
    options.command = app.add_subcommand("serve", "Run the services until SIGTERM");
    add_serve_options(*options.command, options);
    options.command->callback([&] { action = [&] { return run_serve(options); }; });

    std::string state = Settings().state;
    std::string name;
    using Command = Status (*)(const std::string&, const std::string&);
    const auto add = [&](const char* command, const char* help, const char* name_option,
                         Command call) {
        auto* sub = app.add_subcommand(command, help);
        sub->add_option("--state", state, "State directory")->capture_default_str();
        if (name_option != nullptr)
            sub->add_option(name_option, name, "Its name")->required();
        sub->callback([&, call] { action = [&, call] { return call(state, name); }; });
    };
    add("enroll-group", "Create a DPS enrolment group (or show it) and print its keys", "--name",
        mitral::cloud::enroll_group);
    add("device", "Create a device (or show it) and print its connection string", "--id",
        mitral::cloud::show_device);
    add("devices", "List the devices of the registry", nullptr,
        [](const std::string& at, const std::string&) { return mitral::cloud::list_devices(at); });
    add("policies", "Print the connection strings of the shared access policies", nullptr,
        [](const std::string& at, const std::string&) { return mitral::cloud::show_policies(at); });

    add("faults", "List the faults of a running server: which are on, how often each has struck",
        nullptr,
        [](const std::string& at, const std::string&) { return mitral::cloud::list_faults(at); });
    add("fault", "Put a fault of a running server on", "--name",
        [](const std::string&, const std::string&) { return Status(); });
    std::vector<std::string> parameters;
    auto* fault = app.get_subcommand("fault");
    fault->add_option("--with", parameters, "A parameter, name=value; repeat for more");
    fault->callback(
        [&] { action = [&] { return mitral::cloud::set_fault(state, name, parameters); }; });
    add("clear-fault", "Take a fault of a running server off", "--name",
        mitral::cloud::clear_fault);

    add("send", "Send a cloud-to-device message through a running server", "--id",
        [](const std::string&, const std::string&) { return Status(); });
    mitral::cloud::SendOrder order;
    auto* send = app.get_subcommand("send");
    send->add_option("--body", order.body, "The message, as text")->required();
    send->add_option("--message-id", order.message_id, "Its id");
    send->add_option("--content-type", order.content_type, "Of the body");
    send->add_option("--ack", order.ack, "Feedback: none, positive, negative or full");
    send->add_option("--ttl", order.ttl_s, "Seconds it may wait; default 3600");
    send->add_option("--property", order.properties, "name=value; repeat for more");
    send->callback(
        [&] { action = [&] { return mitral::cloud::send_message(state, name, order); }; });

    std::string file;
    add_authority_commands(app, action, state, name, file);

    mitral::cloud::add_update_commands(app, state, action);

    mitral::cloud::add_service_commands(app, action, state);
    std::string script;
    add("fault-script", "Start a script of faults on a running server", nullptr,
        [](const std::string&, const std::string&) { return Status(); });
    auto* fault_script = app.get_subcommand("fault-script");
    fault_script->add_option("file", script, "Steps, one JSON object a line")->required();
    fault_script->callback(
        [&] { action = [&] { return mitral::cloud::run_fault_script(state, script); }; });
    add("fault-log", "Print what faults did on a running server", nullptr,
        [](const std::string& at, const std::string&) {
            return mitral::cloud::print_fault_log(at);
        });

    CLI11_PARSE(app, argc, argv);
    if (const auto done = action(); !done)
        return mitral::base::exit_with(program, done.error());
    return EXIT_SUCCESS;
}
