// The peer: a client on libmosquitto that publishes as fast as its window allows, one connection,
// QoS 1, one thread. CPU is the process's from CONNACK to the last PUBACK.
#include <fmt/format.h>
#include <mosquitto.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

struct Options {
    std::string host = "localhost";
    int port = 8883;
    std::string authority;  // PEM file; empty: no TLS
    std::string topic;
    std::string payload_file;
    int count = 1;
    int window = 100;
};

struct State {
    bool connected = false;
    int acknowledged = 0;
};

void check(int result, const char* what) {
    if (result == MOSQ_ERR_SUCCESS)
        return;
    fmt::print(stderr, "bench_libmosquitto: {}: {}\n", what, mosquitto_strerror(result));
    std::exit(EXIT_FAILURE);
}

struct Cpu {
    double user_us;
    double system_us;

    static Cpu now() {
        rusage usage{};
        (void)::getrusage(RUSAGE_SELF, &usage);
        const auto us = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
        };
        return {us(usage.ru_utime), us(usage.ru_stime)};
    }
};

mosquitto* connect(const Options& options, State& state) {
    mosquitto* client = mosquitto_new("bench-libmosquitto", true, &state);
    mosquitto_connect_callback_set(client, [](mosquitto*, void* its, int result) {
        check(result, "CONNACK");
        static_cast<State*>(its)->connected = true;
    });
    mosquitto_publish_callback_set(
        client, [](mosquitto*, void* its, int) { ++static_cast<State*>(its)->acknowledged; });
    check(mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, options.window), "window");
    if (!options.authority.empty()) {
        check(mosquitto_tls_set(client, options.authority.c_str(), nullptr, nullptr, nullptr,
                                nullptr),
              "authority");
        check(mosquitto_tls_opts_set(client, 1, "tlsv1.3", nullptr), "TLS 1.3");
    }
    check(mosquitto_connect(client, options.host.c_str(), options.port, 60), "connect");
    while (!state.connected)
        check(mosquitto_loop(client, 1000, 1), "loop");
    return client;
}

void run(const Options& options) {
    std::ifstream input(options.payload_file, std::ios::binary);
    const std::string payload{std::istreambuf_iterator<char>(input), {}};
    State state;
    mosquitto* client = connect(options, state);
    const Cpu before = Cpu::now();
    const auto begin = std::chrono::steady_clock::now();
    for (int sent = 0; state.acknowledged < options.count;) {
        for (; sent < options.count && sent - state.acknowledged < options.window; ++sent)
            check(mosquitto_publish(client, nullptr, options.topic.c_str(),
                                    static_cast<int>(payload.size()), payload.data(), 1, false),
                  "publish");
        check(mosquitto_loop(client, 1000, 1), "loop");
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const Cpu after = Cpu::now();
    fmt::print("{{\"messages\":{},\"seconds\":{:.6f},\"user_us\":{:.0f},\"system_us\":{:.0f}}}\n",
               options.count, seconds.count(), after.user_us - before.user_us,
               after.system_us - before.system_us);
    check(mosquitto_disconnect(client), "disconnect");
    mosquitto_destroy(client);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Publishes with libmosquitto");
    Options options;
    app.add_option("--host", options.host);
    app.add_option("--port", options.port)->required();
    app.add_option("--authority", options.authority);
    app.add_option("--topic", options.topic)->required();
    app.add_option("--payload", options.payload_file)->required();
    app.add_option("--count", options.count)->check(CLI::PositiveNumber);
    app.add_option("--window", options.window)->check(CLI::PositiveNumber);
    CLI11_PARSE(app, argc, argv);
    (void)mosquitto_lib_init();
    run(options);
    (void)mosquitto_lib_cleanup();
    return EXIT_SUCCESS;
}
