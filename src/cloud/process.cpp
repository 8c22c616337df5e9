#include "cloud/process.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/api/twins_api.hpp"
#include "cloud/http/connection.hpp"
#include "cloud/metrics/open_count.hpp"

namespace mitral::cloud {
namespace {

constexpr std::uint16_t no_port = 0;

}  // namespace

std::vector<std::string> certificate_names(const Settings& settings) {
    auto names = settings.names;
    for (const auto* always : {"localhost", "127.0.0.1", "::1"})
        if (std::find(names.begin(), names.end(), always) == names.end())
            names.emplace_back(always);
    return names;
}

Process::Process(base::EventLoop& loop, const base::Clock& real_clock,
                 std::unique_ptr<faults::ShiftedClock> clock, Settings settings,
                 hub::Observed observed, std::unique_ptr<State> state, log::MessageLog log,
                 net::TlsContext tls)
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

Ports Process::ports() const {
    const std::uint16_t files = files_ ? files_->port() : std::uint16_t{0};
    return {mqtt_->port(),  https_->port(), amqp_ ? amqp_->port() : std::uint16_t{0},
            admin_->port(), files,          time_ ? time_->port() : no_port};
}

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

}  // namespace mitral::cloud
