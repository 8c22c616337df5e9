// mitral-timed: carries signed time from a time authority to the vault, again and again. Options
// and wiring; the room does the work.
#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/config.hpp"
#include "base/event_loop.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "timed/fetch.hpp"
#include "timed/settings.hpp"
#include "vault/errors.hpp"

namespace mitral::timed {
namespace {

constexpr const char* program = "mitral-timed";

base::Status enter_cage(const Settings& settings) {
    base::SandboxPolicy policy;
    policy.user = settings.user;
    policy.internet = true;
    if (settings.server.transport == Transport::tcp)
        policy.tcp_connect = {settings.server.endpoint.port};
    MITRAL_CHECK(base::enter_sandbox(policy));
    return {};
}

base::Result<std::int64_t> fetch_once(const Settings& settings) {
    MITRAL_TRY(const auto vault, vault::TimeClient::connect(settings.vault_socket));
    return fetch(*vault, settings.server, settings.timeout);
}

// Each change of what happens is told, not each time that it happens.
class Daemon {
  public:
    Daemon(base::EventLoop& loop, const Settings& settings) : loop_(loop), settings_(settings) {}

    void run_once() {
        const auto earliest = fetch_once(settings_);
        const std::string trouble = earliest ? std::string() : earliest.error().message();
        if (!told_ || trouble != last_trouble_)
            tell(earliest);
        told_ = true;
        last_trouble_ = trouble;
        loop_.after(earliest ? settings_.interval : settings_.retry_after, [this] { run_once(); });
    }

  private:
    static void tell(const base::Result<std::int64_t>& earliest) {
        if (earliest)
            base::log(base::Severity::notice, "time-signed",
                      {{"earliest", base::to_iso8601({*earliest * 1000})}});
        else if (earliest.error().code == vault::VaultError::time_refused ||
                 earliest.error().code == vault::VaultError::too_far_ahead)
            base::log_security("time-refused", {{"why", earliest.error().message()}});
        else
            base::log(base::Severity::warning, "time-not-signed",
                      {{"why", earliest.error().message()}});
    }

    base::EventLoop& loop_;
    const Settings& settings_;
    bool told_ = false;
    std::string last_trouble_;
};

base::Status run(const std::string& config_path, bool once) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(config_path));
    const auto names = config.names();
    if (!once && std::ranges::find(names, "timed") == names.end()) {
        base::log(base::Severity::notice, "time-not-configured",
                  {{"remedy", "[timed] server, and --time-key in the policy"}});
        base::notify_ready();
        return {};
    }
    MITRAL_TRY(const auto settings, read_settings(config.table("timed")));
    MITRAL_TRY(auto loop, base::EventLoop::create());
    MITRAL_CHECK(loop->on_termination([&loop] { loop->stop(); }));
    MITRAL_CHECK(enter_cage(settings));
    if (once) {
        MITRAL_TRY(const auto earliest, fetch_once(settings));
        base::log(base::Severity::notice, "time-signed",
                  {{"earliest", base::to_iso8601({earliest * 1000})}});
        return {};
    }
    Daemon daemon(*loop, settings);
    loop->after(base::Milliseconds(0), [&daemon] { daemon.run_once(); });
    base::notify_ready();
    return loop->run();
}

}  // namespace
}  // namespace mitral::timed

int main(int argc, char** argv) {
    using namespace mitral;
    std::string config = "/etc/mitral/mitral.toml";
    bool once = false;
    CLI::App app("Carries signed time from a time authority to the vault.", timed::program);
    app.add_option("--config", config, "Configuration file")->capture_default_str();
    app.add_flag("--once", once, "Ask once and end; fails when there is no good answer");
    app.set_version_flag("--version", std::string(timed::program) + " " + MITRAL_VERSION);
    CLI11_PARSE(app, argc, argv);
    base::set_log_program(timed::program);
    if (const auto status = timed::run(config, once); !status)
        return base::exit_with(timed::program, status.error());
    return 0;
}
