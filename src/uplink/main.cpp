#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>

#include "base/config.hpp"
#include "base/crypto.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "spool/acknowledgement.hpp"
#include "spool/reader.hpp"
#include "uplink/program.hpp"
#include "uplink/settings.hpp"
#include "uplink/uplink.hpp"
#include "uplink/vault_session.hpp"
#include "vault/client.hpp"

namespace {

using namespace mitral;

// SIGUSR1: renew the token now (mitral-uplink(8)). Made before the sandbox closes.
base::Result<base::UniqueFd> renewal_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    if (pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0)
        return base::fail_errno("block SIGUSR1");
    base::UniqueFd descriptor(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor.valid())
        return base::fail_errno("watch SIGUSR1");
    return descriptor;
}

base::Status run(const std::string& config_file) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(config_file));
    MITRAL_TRY(const auto settings, uplink::read_settings(config.table("uplink")));
    MITRAL_TRY(auto tls, uplink::tls_context(settings));
    MITRAL_TRY(const auto loop, base::EventLoop::create());
    MITRAL_TRY(const auto renewals, renewal_signal());

    const base::SystemClock clock;
    uplink::VaultSession vault(
        [path = settings.vault_socket] { return vault::Client::connect(path); },
        [path = settings.vault_socket] { return vault::EvidenceClient::connect(path); });
    uplink::Uplink program(settings, {*loop, clock, vault, std::move(tls), base::random_u64});
    MITRAL_CHECK(loop->on_termination([&program] { program.stop(); }));
    MITRAL_CHECK(loop->watch(renewals.get(), base::EventLoop::readable, [&](std::uint32_t) {
        signalfd_siginfo info{};
        if (::read(renewals.get(), &info, sizeof info) == sizeof info)
            program.renew();
    }));
    MITRAL_TRY(const auto sandbox, base::enter_sandbox(uplink::sandbox_policy(settings)));
    uplink::add_spools(program, settings, vault);
    base::log(base::Severity::info, "started",
              {{"landlock_abi", sandbox.landlock_abi}, {"spools", settings.spools.size()}});
    program.start();
    base::notify_ready();
    return loop->run();
}

}  // namespace

int main(int argc, char** argv) {
    base::set_log_program("mitral-uplink");
    CLI::App app("Publishes what the spools hold to the assigned hub, and receives nothing.");
    std::string config_file = "/etc/mitral/mitral.toml";
    app.add_option("--config", config_file, "Configuration file")->capture_default_str();
    app.set_version_flag("--version", MITRAL_VERSION);
    CLI11_PARSE(app, argc, argv);
    if (const auto ended = run(config_file); !ended)
        return base::exit_with("mitral-uplink", ended.error());
    return EXIT_SUCCESS;
}
