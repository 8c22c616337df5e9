// The real uplink over a real spool, with a key store and a token of the test's own:
//   uplink_harness fill --spool DIR --source NAME --first N --count N [--batch N] [--lane vitals]
//   uplink_harness run --config FILE            (token: environment variable HARNESS_TOKEN;
//       HARNESS_STABLE_AFTER_MS: how long a connection lasts that is no failure)
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>

#include "base/config.hpp"
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "base/sandbox.hpp"
#include "fake_reader.hpp"
#include "spool/writer.hpp"
#include "uplink/program.hpp"

namespace {

using namespace mitral;

// "Wrapping" is leaving as it is: what is tested here is the way, not the vault.
class PlainKeys final : public spool::KeyIssuer, public spool::KeyOpener {
  public:
    base::Result<spool::SegmentKey> new_segment_key() override {
        base::Secret key(32);
        base::fill_random(key.bytes());
        base::Bytes copy(key.view().begin(), key.view().end());
        return spool::SegmentKey{std::move(key), std::move(copy)};
    }
    base::Result<base::Secret> open_segment_key(base::ByteView wrapped) override {
        return base::Secret(wrapped);
    }
};

class HarnessVault final : public vault::Client {
  public:
    base::Result<vault::Token> mint(const vault::HubTokenRequest& request) override {
        const char* token = std::getenv("HARNESS_TOKEN");
        return vault::Token{
            base::Secret(base::as_bytes(token == nullptr ? "SharedAccessSignature none" : token)),
            base::SystemClock().wall().unix_seconds() + request.lifetime.count()};
    }
    base::Result<vault::Token> mint(const vault::RegistrationTokenRequest&) override {
        return unsupported();
    }
    base::Result<vault::DataKey> new_data_key() override { return unsupported(); }
    base::Result<base::Secret> open_data_key(base::ByteView) override { return unsupported(); }
    base::Result<vault::Pseudonym> pseudonym(const vault::Patient&) override {
        return unsupported();
    }
    base::Result<vault::VaultStatus> status() override { return unsupported(); }
    base::Result<base::Bytes> begin_provisioning() override { return unsupported(); }
    base::Status execute(base::ByteView) override { return unsupported(); }

  private:
    static std::unexpected<base::Error> unsupported() {
        return base::fail(base::BaseError::not_supported, "harness");
    }
};

struct FillOptions {
    std::string spool;
    std::string source = "bed-1";
    std::string lane = "vitals";
    std::uint64_t first = 1;
    std::uint64_t count = 1;
    std::uint64_t batch = 10;
};

spool::Lane lane_of(const std::string& name) {
    for (const auto lane : spool::lanes_by_priority) {
        if (spool::to_string(lane) == name)
            return lane;
    }
    return spool::Lane::vitals;
}

base::Status fill(const FillOptions& options) {
    PlainKeys keys;
    base::ManualClock clock(base::SystemClock().wall());
    spool::WriterOptions writer_options;
    writer_options.directory = options.spool;
    const std::size_t size = test::reading_record(options.source, options.first).size();
    writer_options.batch_bytes = static_cast<std::uint32_t>(options.batch * size);
    MITRAL_TRY(const auto writer, spool::Writer::open(writer_options, keys, clock));
    for (std::uint64_t i = 0; i < options.count; ++i) {
        MITRAL_TRY(const auto id,
                   writer->append(lane_of(options.lane),
                                  test::reading_record(options.source, options.first + i)));
        if (id.sequence % 256 == 0)
            MITRAL_CHECK(writer->commit());
    }
    MITRAL_CHECK(writer->commit());
    clock.advance(writer_options.batch_interval + base::Milliseconds(1));
    return writer->maintain();  // closes the last batch
}

base::Status run(const std::string& file) {
    MITRAL_CHECK(base::harden_process());
    MITRAL_TRY(const auto config, base::Config::load(file));
    MITRAL_TRY(auto settings, uplink::read_settings(config.table("uplink")));
    if (const char* stable_after_ms = std::getenv("HARNESS_STABLE_AFTER_MS"))
        settings.reconnect.stable_after = base::Milliseconds(std::atoi(stable_after_ms));
    MITRAL_TRY(auto tls, uplink::tls_context(settings));
    MITRAL_TRY(const auto loop, base::EventLoop::create());
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    const base::UniqueFd renewals(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));

    const base::SystemClock clock;
    uplink::VaultSession vault([]() -> base::Result<std::unique_ptr<vault::Client>> {
        return std::make_unique<HarnessVault>();
    });
    PlainKeys keys;
    uplink::Uplink program(settings, {*loop, clock, vault, std::move(tls), base::random_u64});
    MITRAL_CHECK(loop->on_termination([&program] { program.stop(); }));
    MITRAL_CHECK(loop->watch(renewals.get(), base::EventLoop::readable, [&](std::uint32_t) {
        signalfd_siginfo info{};
        if (::read(renewals.get(), &info, sizeof info) == sizeof info)
            program.renew();
    }));
    if (!settings.user.empty())
        MITRAL_CHECK(base::enter_sandbox(uplink::sandbox_policy(settings)));
    uplink::add_spools(program, settings, keys);
    program.start();
    return loop->run();
}

}  // namespace

int main(int argc, char** argv) {
    base::set_log_program("uplink_harness");
    CLI::App app;
    app.require_subcommand(1);
    FillOptions options;
    auto* fill_command = app.add_subcommand("fill");
    fill_command->add_option("--spool", options.spool)->required();
    fill_command->add_option("--source", options.source);
    fill_command->add_option("--lane", options.lane);
    fill_command->add_option("--first", options.first);
    fill_command->add_option("--count", options.count);
    fill_command->add_option("--batch", options.batch);
    std::string config;
    auto* run_command = app.add_subcommand("run");
    run_command->add_option("--config", config)->required();
    CLI11_PARSE(app, argc, argv);
    const auto ended = run_command->parsed() ? run(config) : fill(options);
    return ended ? EXIT_SUCCESS : base::exit_with("uplink_harness", ended.error());
}
