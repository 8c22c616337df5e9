#include "cloud/hub/service.hpp"

#include <algorithm>

#include "azure/errors.hpp"
#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr base::Milliseconds longest_connection = std::chrono::hours(24 * 365);

bool is_storage_failure(const base::Error& error) {
    return error.code == CloudError::storage;
}

}  // namespace

Service::Service(const Authenticator& authenticator, SessionStore& sessions, log::MessageLog& log,
                 const base::Clock& clock, ServiceOptions options)
    : authenticator_(authenticator),
      sessions_(sessions),
      log_(log),
      clock_(clock),
      options_(options) {}

mqtt::Admission Service::admit(const mqtt::Connect& connect, mqtt::Channel& channel) {
    const auto certificates =
        connect.password.empty() ? channel.certificates() : net::CertificateChain();
    auto identity =
        authenticator_.device(connect.client_id, connect.user_name,
                              {.token = connect.password, .certificates = certificates});
    auto admission = identity ? open_session(connect, channel, *std::move(identity))
                              : std::unexpected(std::move(identity).error());
    if (admission)
        return *std::move(admission);
    ++counters_.refused;
    base::log_security("connect-refused", {{"client", azure::shown(connect.client_id)},
                                           {"cause", admission.error().message()}});
    return {.code = code_of(admission.error(), connect),
            .session_present = false,
            .session = nullptr,
            .expires = {}};
}

// One code for every kind of bad credential, as Azure does: 5.
mqtt::ConnectCode Service::code_of(const base::Error& error, const mqtt::Connect& connect) const {
    const bool disabled = options_.observed.disabled_unavailable &&
                          authenticator_.names_disabled_device(connect.client_id);
    return is_storage_failure(error) || disabled ? mqtt::ConnectCode::server_unavailable
                                                 : mqtt::ConnectCode::not_authorised;
}

base::Result<mqtt::Admission> Service::open_session(const mqtt::Connect& connect,
                                                    mqtt::Channel& channel,
                                                    DeviceIdentity identity) {
    Telemetry telemetry(log_, clock_, identity,
                        options_.observed.older_retain_name ? "x-opt-retain" : "mqtt-retain");
    std::optional<Session::Will> will;
    if (connect.will) {
        MITRAL_CHECK(telemetry.check_topic(connect.will->topic));
        if (connect.will->qos > 1)
            return base::fail(CloudError::protocol_violation, "will with QoS 2");
        will = Session::Will{std::string(connect.will->topic),
                             {connect.will->message.begin(), connect.will->message.end()},
                             connect.will->qos};
    }
    MITRAL_TRY(const auto stored, sessions_.open(connect.client_id, connect.clean_session));
    const auto expires =
        identity.token_expiry_s ? std::optional(end_of(*identity.token_expiry_s)) : std::nullopt;
    auto session =
        std::make_unique<Session>(*this, channel, std::move(identity), std::move(telemetry),
                                  connect.clean_session ? nullptr : &sessions_, std::move(will));
    for (const auto& filter : stored.filters)
        session->restore(filter);
    if (const auto older = connected_.find(session->client_id()); older != connected_.end()) {
        ++counters_.takeovers;
        base::log_security("connection-taken-over",
                           {{"client", azure::shown(session->client_id())}});
        auto& channel_of_older = older->second->channel();
        older->second->leave();
        channel_of_older.close("taken over by a new connection with the same identity");
    }
    connected_[session->client_id()] = session.get();
    return mqtt::Admission{.code = mqtt::ConnectCode::accepted,
                           .session_present = stored.present,
                           .session = std::move(session),
                           .expires = expires,
                           .acknowledges_qos2 = options_.observed.acknowledges_qos2};
}

base::MonotonicTime Service::end_of(std::int64_t token_expiry_s) const {
    const auto left_s =
        token_expiry_s - clock_.wall().unix_seconds() + options_.expiry_grace.count();
    const auto left = std::clamp(
        base::Milliseconds(std::chrono::seconds(std::clamp<std::int64_t>(left_s, 0, 100'000'000))),
        base::Milliseconds(0), longest_connection);
    return clock_.monotonic() + left;
}

Endpoint* Service::find(std::string_view client_id) const {
    const auto found = connected_.find(std::string(client_id));
    return found == connected_.end() ? nullptr : found->second;
}

bool Service::is_connected(std::string_view device) const {
    return connected_.contains(std::string(device));
}

std::size_t Service::disconnect(std::string_view device, std::string_view reason) {
    std::vector<Session*> found;
    for (const auto& [client, session] : connected_)
        if (session->identity().device.id == device)
            found.push_back(session);
    for (auto* session : found)
        session->channel().close(reason);
    return found.size();
}

std::size_t Service::disconnect_all(std::string_view reason) {
    for (const auto& [client, session] : connected_)
        session->channel().close(reason);
    return connected_.size();
}

std::size_t Service::connected_devices() const {
    return static_cast<std::size_t>(
        std::count_if(connected_.begin(), connected_.end(),
                      [](const auto& entry) { return entry.second->identity().module.empty(); }));
}

void Service::count_message(std::size_t bytes) noexcept {
    ++counters_.messages;
    counters_.message_bytes += bytes;
}

void Service::forget(const Session& session) {
    const auto found = connected_.find(session.client_id());
    if (found != connected_.end() && found->second == &session)
        connected_.erase(found);
}

}  // namespace mitral::cloud::hub
