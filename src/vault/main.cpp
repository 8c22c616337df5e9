// mitral-vault: the only process that talks to the trust zone. Options and wiring; the room does
// the work.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "base/config.hpp"
#include "base/errors.hpp"
#include "base/file.hpp"
#include "base/local_socket.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "base/sanitizer.hpp"
#include "vault/errors.hpp"
#include "vault/open_backend.hpp"
#include "vault/server.hpp"
#include "vault/service.hpp"
#include "vault/settings.hpp"

namespace mitral::vault {
namespace {

constexpr std::string_view program = "mitral-vault";

// Keeps every page out of swap. Only with an unlimited RLIMIT_MEMLOCK (the unit sets it): below it
// a later allocation would fail; the pages of secrets are locked in any case.
void lock_memory() {
    if (base::under_sanitizer)
        return;
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0 || mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        base::log(base::Severity::notice, "memory-not-locked",
                  {{"remedy", "LimitMEMLOCK=infinity, and no swap"}});
}

base::Status prepare_state_directory(const Settings& settings) {
    MITRAL_CHECK(base::make_directory(settings.state, 0700));
    if (geteuid() == 0 && !settings.user.empty()) {
        MITRAL_TRY(const auto uid, base::user_id(settings.user));
        if (chown(settings.state.c_str(), uid, static_cast<gid_t>(-1)) != 0)
            return base::fail_errno("give " + settings.state + " to " + settings.user);
    }
    return {};
}

// Said here, for the sandbox could only say that a path is missing.
base::Status check_tpm_device(const Settings& settings) {
    constexpr std::string_view prefix = "device:";
    if (settings.backend != "tpm" || !settings.tcti.starts_with(prefix))
        return {};
    const auto path = settings.tcti.substr(prefix.size());
    if (access(path.c_str(), F_OK) == 0)
        return {};
    return base::fail(VaultError::backend_unavailable,
                      "no TPM at " + path + " (vault.tcti): enable it or correct the path");
}

base::Status run(const std::string& config_path) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(config_path));
    MITRAL_TRY(const auto settings, read_settings(config));
    MITRAL_CHECK(check_tpm_device(settings));
    lock_memory();
    MITRAL_TRY(auto loop, base::EventLoop::create());
    MITRAL_CHECK(loop->on_termination([&loop] { loop->stop(); }));
    MITRAL_CHECK(prepare_state_directory(settings));
    MITRAL_TRY(auto listener, base::listen_seqpacket(settings.socket, 0666));

    // From here on as the vault's own user, in the sandbox.
    MITRAL_TRY(auto policy, backend_sandbox(settings));
    MITRAL_TRY(const auto sandbox, base::enter_sandbox(policy));
    const base::SystemClock clock;
    MITRAL_TRY(const auto backend, open_backend(settings, clock));
    Service service(*backend, settings.rights, settings.rate, clock);
    MITRAL_TRY(const auto server, Server::start(std::move(listener), service, *loop));
    base::log(base::Severity::notice, "vault-ready",
              {{"backend", settings.backend},
               {"landlock", sandbox.landlock_abi},
               {"network-isolated", sandbox.network_isolated}});
    base::notify_ready();
    return loop->run();
}

}  // namespace
}  // namespace mitral::vault

int main(int argc, char** argv) {
    CLI::App app("Keeps the keys of a Mitral gateway and mints its tokens");
    std::string config = "/etc/mitral/mitral.toml";
    app.add_option("--config", config, "Configuration file")->capture_default_str();
    app.set_version_flag("--version", MITRAL_VERSION);
    CLI11_PARSE(app, argc, argv);
    mitral::base::set_log_program(mitral::vault::program);
    if (auto status = mitral::vault::run(config); !status)
        return mitral::base::exit_with(mitral::vault::program, status.error());
    return 0;
}
