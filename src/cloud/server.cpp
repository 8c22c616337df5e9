#include "cloud/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "azure/dps.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "cloud/amqp/endpoint.hpp"
#include "cloud/api/admin_api.hpp"
#include "cloud/api/authorities_api.hpp"
#include "cloud/api/bulk_api.hpp"
#include "cloud/api/calls_api.hpp"
#include "cloud/api/deployment_board_api.hpp"
#include "cloud/api/device_events_api.hpp"
#include "cloud/api/device_management_api.hpp"
#include "cloud/api/device_update_api.hpp"
#include "cloud/api/devicebound_api.hpp"
#include "cloud/api/enrollment_bulk_api.hpp"
#include "cloud/api/fault_script_api.hpp"
#include "cloud/api/jobs_api.hpp"
#include "cloud/api/limits_api.hpp"
#include "cloud/api/methods_api.hpp"
#include "cloud/api/metrics_api.hpp"
#include "cloud/api/modules_api.hpp"
#include "cloud/api/provisioning_api.hpp"
#include "cloud/api/provisioning_query_api.hpp"
#include "cloud/api/query_api.hpp"
#include "cloud/api/registrations_api.hpp"
#include "cloud/api/registry_api.hpp"
#include "cloud/api/statistics_api.hpp"
#include "cloud/api/twins_api.hpp"
#include "cloud/api/unsupported.hpp"
#include "cloud/api/update_files_api.hpp"
#include "cloud/api/websocket_api.hpp"
#include "cloud/dps/service.hpp"
#include "cloud/faults.hpp"
#include "cloud/faults/front.hpp"
#include "cloud/faults/replies.hpp"
#include "cloud/faults/roots.hpp"
#include "cloud/faults/shifted_clock.hpp"
#include "cloud/http/connection.hpp"
#include "cloud/hub/twin_channel.hpp"
#include "cloud/limits/gate.hpp"
#include "cloud/log/scrub.hpp"
#include "cloud/metrics/open_count.hpp"
#include "cloud/page/status_page.hpp"
#include "cloud/state.hpp"
#include "cloud/time/responder.hpp"
#include "net/connect.hpp"

namespace mitral::cloud {
namespace {

constexpr std::string_view loopback = "127.0.0.1";
constexpr std::uint16_t no_port = 0;

// The user name says which service a client wants; both share the port, as they do on port 8883 of
// Azure.
class Switchboard final : public mqtt::Service {
  public:
    Switchboard(mqtt::Service& hub, mqtt::Service& dps) : hub_(hub), dps_(dps) {}
    mqtt::Admission admit(const mqtt::Connect& connect, mqtt::Channel& channel) override {
        auto& service = azure::is_dps_username(connect.user_name) ? dps_ : hub_;
        return service.admit(connect, channel);
    }

  private:
    mqtt::Service& hub_;
    mqtt::Service& dps_;
};

std::vector<std::string> certificate_names(const Settings& settings) {
    auto names = settings.names;
    for (const auto* always : {"localhost", "127.0.0.1", "::1"})
        if (std::find(names.begin(), names.end(), always) == names.end())
            names.emplace_back(always);
    return names;
}

class Process final : public Server {
  public:
    // `clock` is the one that `state` was opened with.
    Process(base::EventLoop& loop, const base::Clock& real_clock,
            std::unique_ptr<faults::ShiftedClock> clock, Settings settings, hub::Observed observed,
            std::unique_ptr<State> state, log::MessageLog log, net::TlsContext tls)
        : clock_(std::move(clock)),
          settings_(std::move(settings)),
          state_(std::move(state)),
          log_(std::move(log)),
          tls_(std::move(tls)),
          hosts_(certificate_names(settings_)),
          sessions_(state_->database),
          authenticator_(state_->registry, state_->authorities, state_->policies, hosts_, *clock_,
                         settings_.clock_skew),
          gatekeeper_(state_->enrollments, state_->authorities, state_->id_scope, *clock_,
                      settings_.clock_skew),
          twins_(state_->twins),
          methods_(loop),
          queue_(state_->database, *clock_),
          devicebound_(queue_, observed.clean_keeps_queue),
          hub_(authenticator_, sessions_, log_, *clock_,
               {.expiry_grace = settings_.expiry_grace, .observed = observed}),
          jobs_(state_->database),
          runner_({.loop = loop,
                   .clock = *clock_,
                   .store = jobs_,
                   .twins = state_->twins,
                   .methods = methods_,
                   .document = [this](const hub::Twin& twin) { return document(twin); },
                   .push = [this](const hub::TwinUpdate& update) { push(update); }}),
          updates_(loop, *clock_, state_->database, state_->twins, settings_.state + "/updates"),
          faults_(loop, real_clock, roster_),
          replies_(faults_),
          roots_(settings_.state + "/tls", certificate_names(settings_), real_clock, tls_),
          script_(loop, real_clock, faults_,
                  [this](const std::string& device) {
                      return device == "*" ? hub_.disconnect_all("fault: dropped") +
                                                 faults_.drop_amqp("fault: dropped")
                                           : hub_.disconnect(device, "fault: dropped");
                  }),
          pool_(loop, *clock_, {}) {
        meters_.started_ms = real_clock.wall().ms;
    }

    base::Status open(Sockets sockets);
    Ports ports() const override {
        const std::uint16_t files = files_ ? files_->port() : std::uint16_t{0};
        return {mqtt_->port(),  https_->port(), amqp_ ? amqp_->port() : std::uint16_t{0},
                admin_->port(), files,          time_ ? time_->port() : no_port};
    }

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

base::Status Process::open(Sockets sockets) {
    pool_.set_commit([this] { return commit(); });
    scrub_.emplace(pool_.loop(), log_);
    const auto http_factory = [](const http::Handler& handler, std::uint64_t& open) {
        return [&handler, &open](front::Link& link) {
            return std::make_unique<metrics::Counted<http::Connection>>(open, link, handler);
        };
    };
    using front::Listener;
    const auto mqtt_factory = [this](front::Link& link) { return make_mqtt(link, *mqtt_meter_); };
    MITRAL_TRY(mqtt_, Listener::open(pool_, std::move(sockets.mqtt), &tls_, mqtt_factory));
    MITRAL_TRY(https_, Listener::open(pool_, std::move(sockets.https), &tls_,
                                      http_factory(public_handler_, meters_.https_open)));
    if (sockets.amqp.valid()) {
        MITRAL_TRY(amqp_,
                   Listener::open(pool_, std::move(sockets.amqp), &tls_, [this](front::Link& link) {
                       return make_amqp(link, meters_.amqp_open);
                   }));
    }
    MITRAL_TRY(admin_, Listener::open(pool_, std::move(sockets.admin), nullptr,
                                      http_factory(admin_handler_, meters_.admin_open)));
    admin_->set_local();
    if (sockets.files.get() >= 0) {
        MITRAL_TRY(files_, Listener::open(pool_, std::move(sockets.files), nullptr,
                                          http_factory(files_handler_, meters_.https_open)));
    }
    MITRAL_CHECK(open_time(sockets));
    if (settings_.assigned_hub.empty())
        settings_.assigned_hub = fmt::format("{}:{}", settings_.names.front(), mqtt_->port());
    MITRAL_CHECK(state_->database.set_fact("hub-host", settings_.assigned_hub));
    MITRAL_CHECK(queue_.release_all());
    MITRAL_CHECK(updates_.open());
    MITRAL_CHECK(open_limits());
    mount_services();
    MITRAL_CHECK(start_rollout());
    MITRAL_CHECK(runner_.open());
    MITRAL_CHECK(roots_.prepare());
    connect_faults();
    return tell_ports();
}

std::unique_ptr<mqtt::Connection> Process::make_mqtt(front::Transport& transport,
                                                     mqtt::Service& meter) {
    return std::make_unique<mqtt::Connection>(transport, meter, roster_, counters_);
}

std::unique_ptr<front::Protocol> Process::make_amqp(front::Transport& transport,
                                                    std::uint64_t& open) {
    return std::make_unique<metrics::CountedFrom>(open, transport,
                                                  amqp_endpoint_->accept(transport));
}

base::Status Process::open_time(Sockets& sockets) {
    if (!settings_.time_port)
        return {};
    MITRAL_TRY(auto authority, time::Authority::open(settings_.state + "/time", *clock_));
    MITRAL_TRY(responder_, time::Responder::open(pool_.loop(), *clock_, std::move(authority),
                                                 std::move(sockets.time_udp)));
    MITRAL_TRY(time_, front::Listener::open(
                          pool_, std::move(sockets.time_tcp), nullptr,
                          [this](front::Link& link) { return responder_->connection(link); }));
    return {};
}

void Process::mount_services() {
    amqp_endpoint_.emplace(
        amqp::Parts{authenticator_, state_->policies, hosts_, log_, news_, queue_,
                    [this](std::string_view device) { devicebound_.wake(device); },
                    [this] { return !limits_ || limits_->take(limits::Limit::devicebound); },
                    *clock_},
        amqp::EndpointOptions{.consumer_groups = settings_.consumer_groups,
                              .clock_skew = settings_.clock_skew,
                              .limits = {.expiry_grace = settings_.expiry_grace}});
    hub_.add(twins_);
    hub_.add(methods_);
    hub_.add(devicebound_);
    registrar_.emplace(
        gatekeeper_, state_->registry, state_->database, *clock_,
        dps::RegistrarOptions{
            .assigned_hub = settings_.assigned_hub,
            .retry_after = settings_.retry_after,
            .throttled = [this] { return dps_throttled(); },
            .failure = [this](bool at_look_up) { return dps_failure(at_look_up); },
            .still_assigning = [this] { return faults_.strike(Fault::dps_assigning).has_value(); },
            .other_hub = [this](const std::string& device) { return other_hub(device); },
            .device_reset =
                [this](const std::string& device) {
                    (void)hub_.disconnect(device, "device data was reset");
                }});
    dps_.emplace(*registrar_);
    switchboard_.emplace(hub_, *dps_);
    front_.emplace(*switchboard_, faults_, *clock_);
    if (limits_)
        gate_.emplace(*front_, *limits_);
    mqtt::Service& entrance = gate_ ? static_cast<mqtt::Service&>(*gate_) : *front_;
    mqtt_meter_.emplace(entrance, meters_.mqtt);
    websocket_meter_.emplace(entrance, meters_.websocket);
    api::mount_limits(admin_routes_, limits_ ? &*limits_ : nullptr);
    api::RegistryApi{state_->registry, hub_, authenticator_}.mount(public_routes_);
    api::BulkApi{state_->registry, hub_, authenticator_}.mount(public_routes_);
    api::ModulesApi{state_->registry.modules(), hub_, authenticator_}.mount(public_routes_);
    api::DeviceboundApi{queue_, devicebound_, authenticator_}.mount(public_routes_);
    api::DeviceEventsApi{hub_, log_, authenticator_, *clock_, [this] { return commit(); }}.mount(
        public_routes_);
    api::DeviceboundAdminApi{queue_, devicebound_}.mount(admin_routes_);
    api::MethodsApi{state_->registry, methods_, authenticator_}.mount(public_routes_);
    api::ProvisioningApi{*registrar_, state_->enrollments, authenticator_}.mount(public_routes_);
    api::EnrollmentBulkApi{state_->enrollments, authenticator_}.mount(public_routes_);
    api::ProvisioningQueryApi{state_->enrollments, state_->registrations, authenticator_}.mount(
        public_routes_);
    api::RegistrationsApi{state_->registrations, authenticator_}.mount(public_routes_);
    api::TwinsApi{state_->twins, hub_, authenticator_}.mount(public_routes_);
    api::QueryApi{state_->twins, hub_, authenticator_}.mount(public_routes_);
    api::StatisticsApi{state_->registry, hub_, authenticator_}.mount(public_routes_);
    api::WebsocketApi{
        faults_,
        [this](front::Transport& transport) { return make_mqtt(transport, *websocket_meter_); },
        [this](front::Transport& transport) {
            return make_amqp(transport, meters_.amqp_websocket_open);
        }}
        .mount(public_routes_);
    mount_updates();
    api::JobsApi{runner_, jobs_, authenticator_, *clock_}.mount(public_routes_);
    api::mount_unsupported(public_routes_);
    api::AuthoritiesApi{state_->authorities}.mount(admin_routes_);
    api::AdminApi{state_->registry, hub_, log_, news_, faults_}.mount(admin_routes_);
    api::MetricsApi{meters_,          hub_,
                    methods_,         queue_,
                    *registrar_,      log_,
                    faults_,          pool_,
                    counters_,        state_->database,
                    responder_.get(), limits_ ? &*limits_ : nullptr}
        .mount(admin_routes_);
    public_handler_ = [this](const http::Request& request) {
        auto response = answer_public(request);
        replies_.distort(response);
        return response;
    };
    api::CallsApi{public_routes_}.mount(admin_routes_);
    page::mount(admin_routes_);
    api::FaultScriptApi{faults_, script_}.mount(admin_routes_);
    admin_handler_ = [this](const http::Request& request) {
        return page::is_from_this_machine(request) ? route_admin(request) : page::refusal();
    };
}

void Process::mount_updates() {
    for (const auto& [routes, guard] :
         {std::pair(&public_routes_, api::update_policy(authenticator_)),
          std::pair(&admin_routes_, api::anyone())}) {
        api::DeviceUpdateApi{updates_}.mount(*routes, guard);
        api::DeviceManagementApi{updates_}.mount(*routes, guard);
        api::DeploymentsApi{updates_}.mount(*routes, guard);
    }
    api::UpdateKeysApi{updates_.keys}.mount(admin_routes_);
    api::DeploymentBoardApi{state_->database}.mount(admin_routes_);
    for (auto* routes : {&public_routes_, &files_routes_})
        api::UpdateFilesApi{updates_}.mount(*routes);
    files_handler_ = [this](const http::Request& request) { return files_routes_.route(request); };
}

// Devices download over plain HTTP where that port is open: Microsoft's agent wants it so.
base::Status Process::start_rollout() {
    const auto origin = files_
                            ? fmt::format("http://{}:{}", settings_.names.front(), files_->port())
                            : fmt::format("https://{}:{}", settings_.names.front(), https_->port());
    state_->twins.observe([this](const hub::Twin& twin) { updates_.rollout.on_twin(twin); });
    return updates_.rollout.open(origin + "/update-files",
                                 [this](const hub::TwinUpdate& update) { push(update); });
}

void Process::push(const hub::TwinUpdate& update) {
    if (auto* client = hub_.find(api::client_id(update.twin.name())))
        hub::TwinChannel::push_desired(*client, update);
}

Json Process::document(const hub::Twin& twin) const {
    return Json::parse(api::twin_json(twin, hub_.is_connected(api::client_id(twin.name()))),
                       nullptr, false);
}

// The command line asks for the service API here, with the same tokens as over HTTPS.
http::Response Process::route_admin(const http::Request& request) {
    constexpr std::string_view service = "/service";
    if (!request.path.starts_with("/service/")) {
        const bool to_device =
            request.method == http::Method::post && request.path.ends_with("/messages");
        const auto serve = [this](const auto& call) { return admin_routes_.route(call); };
        return limits_ && to_device ? api::within_limits(*limits_, request, serve) : serve(request);
    }
    auto inner = request;
    inner.path.erase(0, service.size());
    return answer_public(inner);
}

http::Response Process::answer_public(const http::Request& request) {
    const auto serve = [this](const auto& call) { return public_routes_.route(call); };
    return meters_.api.count(
        request, limits_ ? api::within_limits(*limits_, request, serve) : serve(request));
}

base::Status Process::open_limits() {
    if (settings_.tier.empty())
        return {};
    MITRAL_TRY(const auto figures, limits::figures_of(settings_.tier, settings_.units));
    MITRAL_TRY(limits_, limits::Limits::open(figures, state_->database, *clock_));
    twins_.set_gate([this](bool is_read) {
        return limits_->take(is_read ? limits::Limit::twin_reads : limits::Limit::twin_updates)
            .has_value();
    });
    return {};
}

void Process::connect_faults() {
    faults_.control(*mqtt_, *https_);
    if (amqp_)
        faults_.control_amqp(*amqp_);
    faults_.connect(
        {.set_clock = [this](base::Seconds offset) { clock_->shift(offset); },
         .use_root = [this](bool other, bool fresh) { return roots_.use(other, fresh); },
         .bury = [this] { pool_.bury(); }});
    roster_.set_distortion([this](base::Bytes& packets) { return replies_.distort(packets); });
}

std::optional<base::Seconds> Process::dps_throttled() {
    const auto order = faults_.strike(Fault::dps_throttled);
    return order ? std::optional(base::Seconds(order->number("retry_after"))) : std::nullopt;
}

std::optional<std::int64_t> Process::dps_failure(bool at_look_up) {
    const auto* order = faults_.in_force(Fault::dps_failed);
    if (order == nullptr)
        return std::nullopt;
    const auto code = order->number("error_code");
    if (dps::ends_registration(code) && !at_look_up)
        return std::nullopt;
    (void)faults_.strike(Fault::dps_failed);
    return code;
}

std::optional<std::string> Process::other_hub(const std::string& device) {
    auto hub = faults_.move(device);
    if (hub)
        hub_.disconnect(device, "moved to another hub");
    return hub;
}

base::Status Process::commit() {
    if (limits_)
        MITRAL_CHECK(limits_->save());
    if (!log_.has_batch())
        return {};
    MITRAL_CHECK(log_.commit());
    news_.notify();
    return {};
}

base::Status Process::tell_ports() const {
    const auto time = time_ ? fmt::format("\"time\":{},", time_->port()) : std::string();
    const auto text = fmt::format(
        "{{\"mqtt\":{},\"https\":{},\"amqp\":{},\"admin\":{},\"files\":{},{}\"hub\":\"{}\","
        "\"id_scope\":\"{}\"}}\n",
        mqtt_->port(), https_->port(), ports().amqp, admin_->port(), ports().files, time,
        settings_.assigned_hub, state_->id_scope);
    return base::replace_file(settings_.state + "/ports.json", base::as_bytes(text), 0644);
}

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
