#include "cloud/server.hpp"

#include <fmt/format.h>

#include "cloud/process.hpp"
#include "net/connect.hpp"

namespace mitral::cloud {
namespace {

constexpr std::string_view loopback = "127.0.0.1";

}  // namespace

base::Result<Sockets> bind_sockets(const Settings& settings) {
    const auto listen = [](std::string_view option, const std::string& at, std::uint16_t port) {
        auto socket = net::listen_tcp({at, port});
        if (!socket)
            socket = base::fail_with(fmt::format("{} {}", option, port), socket.error());
        return socket;
    };
    Sockets sockets;
    MITRAL_TRY(sockets.mqtt, listen("--mqtt-port", settings.listen, settings.mqtt_port));
    MITRAL_TRY(sockets.https, listen("--https-port", settings.listen, settings.https_port));
    if (settings.amqp_port) {
        MITRAL_TRY(sockets.amqp, listen("--amqp-port", settings.listen, *settings.amqp_port));
    }
    MITRAL_TRY(sockets.admin, listen("--admin-port", std::string(loopback), settings.admin_port));
    if (settings.files_port) {
        MITRAL_TRY(sockets.files, listen("--files-port", settings.listen, *settings.files_port));
    }
    if (settings.time_port) {
        MITRAL_TRY(sockets.time_tcp, listen("--time-port", settings.listen, *settings.time_port));
        MITRAL_TRY(sockets.time_udp, time::bind_beside(sockets.time_tcp.get()));
    }
    return sockets;
}

base::Result<std::unique_ptr<Server>> Server::start(base::EventLoop& loop, const base::Clock& clock,
                                                    const Settings& settings, Sockets sockets) {
    MITRAL_CHECK(check(settings));
    MITRAL_TRY(const auto observed, hub::read_observed(settings.as_observed));
    auto shifted = std::make_unique<faults::ShiftedClock>(clock);
    MITRAL_TRY(auto state, State::open(settings.state, *shifted));
    MITRAL_CHECK(state->lock());
    MITRAL_TRY(auto log,
               log::MessageLog::open({.directory = settings.state + "/messages",
                                      .maximum_bytes = settings.log_max_mb * 1024 * 1024}));
    MITRAL_TRY(auto tls,
               faults::server_context(settings.state + "/tls", certificate_names(settings),
                                      faults::first_authority, clock.wall()));
    auto server = std::make_unique<Process>(loop, clock, std::move(shifted), settings, observed,
                                            std::move(state), std::move(log), std::move(tls));
    MITRAL_CHECK(server->open(std::move(sockets)));
    return server;
}

}  // namespace mitral::cloud
