// Private to cloud: what Server::start() makes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/adu/device_update.hpp"
#include "cloud/amqp/endpoint.hpp"
#include "cloud/api/metrics_api.hpp"
#include "cloud/dps/service.hpp"
#include "cloud/faults.hpp"
#include "cloud/faults/front.hpp"
#include "cloud/faults/replies.hpp"
#include "cloud/faults/roots.hpp"
#include "cloud/faults/script_runner.hpp"
#include "cloud/faults/shifted_clock.hpp"
#include "cloud/hub/devicebound_channel.hpp"
#include "cloud/hub/twin_channel.hpp"
#include "cloud/jobs/runner.hpp"
#include "cloud/limits/gate.hpp"
#include "cloud/log/scrub.hpp"
#include "cloud/server.hpp"
#include "cloud/state.hpp"
#include "cloud/switchboard.hpp"

namespace mitral::cloud {

// The names of the certificate: what was asked for, and this machine.
[[nodiscard]] std::vector<std::string> certificate_names(const Settings& settings);

// All parts of the local Azure, and how they hold together.
class Process final : public Server {
  public:
    // `clock` is the one that `state` was opened with.
    Process(base::EventLoop& loop, const base::Clock& real_clock,
            std::unique_ptr<faults::ShiftedClock> clock, Settings settings, hub::Observed observed,
            std::unique_ptr<State> state, log::MessageLog log, net::TlsContext tls);

    base::Status open(Sockets sockets);
    Ports ports() const override;

  private:
    void mount_services();
    void connect_faults();
    http::Response route_admin(const http::Request& request);
    http::Response answer_public(const http::Request& request);
    base::Status open_limits();
    std::unique_ptr<mqtt::Connection> make_mqtt(front::Transport& transport, mqtt::Service& meter);
    std::unique_ptr<front::Protocol> make_amqp(front::Transport& transport, std::uint64_t& open);
    void mount_updates();
    base::Status start_rollout();
    void push(const hub::TwinUpdate& update);
    Json document(const hub::Twin& twin) const;
    base::Status open_time(Sockets& sockets);
    std::optional<base::Seconds> dps_throttled();
    std::optional<std::int64_t> dps_failure(bool at_look_up);
    std::optional<std::string> other_hub(const std::string& device);
    base::Status commit();
    base::Status tell_ports() const;

    std::unique_ptr<faults::ShiftedClock> clock_;
    Settings settings_;
    std::unique_ptr<State> state_;
    log::MessageLog log_;
    std::optional<log::Scrub> scrub_;
    log::Broadcast news_;
    net::TlsContext tls_;
    hub::Hosts hosts_;
    hub::SessionStore sessions_;
    hub::Authenticator authenticator_;
    dps::Gatekeeper gatekeeper_;
    hub::TwinChannel twins_;
    hub::MethodChannel methods_;
    hub::DeviceboundQueue queue_;
    hub::DeviceboundChannel devicebound_;
    hub::Service hub_;
    jobs::Store jobs_;
    jobs::Runner runner_;
    std::optional<dps::Registrar> registrar_;
    std::optional<dps::Service> dps_;
    std::optional<amqp::Endpoint> amqp_endpoint_;
    std::optional<Switchboard> switchboard_;
    std::optional<faults::Front> front_;
    api::Meters meters_;
    std::optional<limits::Limits> limits_;
    std::optional<limits::Gate> gate_;
    std::optional<metrics::Meter> mqtt_meter_;
    std::optional<metrics::Meter> websocket_meter_;
    adu::DeviceUpdate updates_;
    mqtt::Roster roster_;
    mqtt::ConnectionCounters counters_;
    http::Router public_routes_;
    http::Router admin_routes_;
    http::Router files_routes_;
    http::Handler public_handler_;
    http::Handler admin_handler_;
    http::Handler files_handler_;
    Faults faults_;
    std::unique_ptr<time::Responder> responder_;
    faults::Replies replies_;
    faults::Roots roots_;
    faults::ScriptRunner script_;
    front::LinkPool pool_;  // below everything its connections use
    std::unique_ptr<front::Listener> mqtt_;
    std::unique_ptr<front::Listener> https_;
    std::unique_ptr<front::Listener> amqp_;
    std::unique_ptr<front::Listener> admin_;
    std::unique_ptr<front::Listener> files_;
    std::unique_ptr<front::Listener> time_;
};

}  // namespace mitral::cloud
