// Devices of a hub, driven over stdin, one order a line, each answered by one line of JSON:
//   connect            all that are not connected, at once
//   publish N          N messages together, in turns
//   vanish             all connections, without a goodbye
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>

#include "hub_device.hpp"

namespace mitral::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
    std::string host = "localhost";
    std::uint16_t port = 0;
    std::string authority;
    std::string devices_file;  // of each a line: id, password
    std::string payload_file;
    std::uint32_t window = 1;
    int deadline_s = 300;
};

[[noreturn]] void give_up(const std::string& what) {
    fmt::print(stderr, "bench_hub_fleet: {}\n", what);
    std::exit(EXIT_FAILURE);
}

class Fleet {
  public:
    Fleet(HubSide& hub, const Options& options) : hub_(hub), deadline_s_(options.deadline_s) {
        std::ifstream file(options.devices_file);
        std::string id;
        std::string password;
        while (file >> id && std::getline(file >> std::ws, password)) {
            const auto username =
                fmt::format("{}:{}/{}/?api-version=2021-04-12", options.host, options.port, id);
            devices_.push_back(std::make_unique<Device>(
                hub, Credentials{id, username, password},
                [this](Device::Event event, std::uint32_t count) { note(event, count); }));
        }
        if (devices_.empty())
            give_up("no devices in " + options.devices_file);
    }

    void connect() {
        begin();
        expected_ = static_cast<std::uint32_t>(std::ranges::count_if(
            devices_, [](const auto& device) { return !device->connected(); }));
        for (const auto& device : devices_)
            if (!device->connected())
                device->connect();
        wait();
        std::string codes;
        for (const auto& [code, count] : refused_)
            codes += fmt::format("{}\"{}\":{}", codes.empty() ? "" : ",", code, count);
        fmt::print("{{\"connected\":{},\"lost\":{},\"refused\":{{{}}},\"seconds\":{:.6f}}}\n",
                   connected_, lost_, codes, seconds());
    }

    void publish(std::uint32_t count) {
        begin();
        expected_ = count;
        const auto devices = static_cast<std::uint32_t>(devices_.size());
        for (std::uint32_t i = 0; i < devices; ++i)
            devices_[i]->publish(count / devices + (i < count % devices ? 1 : 0));
        wait();
        fmt::print("{{\"acknowledged\":{},\"lost\":{},\"seconds\":{:.6f}}}\n", acknowledged_, lost_,
                   seconds());
    }

    void vanish() {
        for (const auto& device : devices_)
            device->vanish();
        fmt::print("{{\"vanished\":{}}}\n", devices_.size());
    }

  private:
    void begin() {
        expected_ = connected_ = lost_ = acknowledged_ = 0;
        refused_.clear();
        begin_ = Clock::now();
    }

    void note(Device::Event event, std::uint32_t count) {
        switch (event) {
            case Device::Event::connected:
                ++connected_;
                break;
            case Device::Event::refused:
                ++refused_[count];  // its connection is lost next
                break;
            case Device::Event::lost:
                ++lost_;
                break;
            case Device::Event::acknowledged:
                acknowledged_ += count;
                break;
        }
        if (settled())
            hub_.loop.stop();
    }

    // A message that is lost with its connection is waited for until the deadline, then missed.
    [[nodiscard]] bool settled() const { return connected_ + lost_ + acknowledged_ >= expected_; }

    void wait() {
        const auto timer =
            hub_.loop.after(base::Milliseconds(deadline_s_ * 1000LL), [this] { hub_.loop.stop(); });
        if (!settled())
            if (const auto ran = hub_.loop.run(); !ran)
                give_up(ran.error().message());
        hub_.loop.cancel(timer);
    }

    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(Clock::now() - begin_).count();
    }

    HubSide& hub_;
    int deadline_s_;
    std::vector<std::unique_ptr<Device>> devices_;
    Clock::time_point begin_;
    std::uint32_t expected_ = 0;
    std::uint32_t connected_ = 0;
    std::uint32_t lost_ = 0;
    std::uint32_t acknowledged_ = 0;
    std::map<std::uint32_t, std::uint32_t> refused_;  // code of CONNACK: how often
};

void raise_descriptor_limit() {
    rlimit limit{};
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string text_of(const std::string& path) {
    if (path.empty())
        return {};
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void obey(Fleet& fleet) {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream order(line);
        std::string verb;
        std::uint32_t count = 0;
        order >> verb >> count;
        if (verb == "connect")
            fleet.connect();
        else if (verb == "publish")
            fleet.publish(count);
        else if (verb == "vanish")
            fleet.vanish();
        else
            give_up("unknown order: " + line);
        (void)std::fflush(stdout);
    }
}

}  // namespace
}  // namespace mitral::bench

int main(int argc, char** argv) {
    using namespace mitral;
    CLI::App app("Devices of a hub");
    bench::Options options;
    app.add_option("--host", options.host);
    app.add_option("--port", options.port)->required();
    app.add_option("--authority", options.authority)->required();
    app.add_option("--devices", options.devices_file)->required();
    app.add_option("--payload", options.payload_file);
    app.add_option("--window", options.window)->check(CLI::PositiveNumber);
    app.add_option("--deadline", options.deadline_s)->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    (void)std::signal(SIGPIPE, SIG_IGN);  // a hub that hangs up is counted
    bench::raise_descriptor_limit();
    auto loop = base::EventLoop::create();
    net::TlsClientOptions trust;
    trust.root_files = {options.authority};
    auto tls = net::TlsContext::client(trust);
    if (!loop || !tls)
        bench::give_up("no loop or no TLS");
    bench::HubSide hub{**loop,
                       *std::move(tls),
                       options.host,
                       options.port,
                       bench::text_of(options.payload_file),
                       options.window};
    bench::Fleet fleet(hub, options);
    bench::obey(fleet);
    return EXIT_SUCCESS;
}
