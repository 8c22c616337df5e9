#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "cloud/hub/authenticator.hpp"
#include "cloud/hub/observed.hpp"
#include "cloud/hub/session.hpp"
#include "cloud/log/message_log.hpp"

namespace mitral::cloud::hub {

struct Counters {
    std::uint64_t messages = 0;
    std::uint64_t message_bytes = 0;
    std::uint64_t refused = 0;    // CONNECTs without a good credential
    std::uint64_t takeovers = 0;  // a second connection with the same identity
};

struct ServiceOptions {
    base::Seconds expiry_grace{300};  // how long a connection outlives its token
    Observed observed{};
};

// IoT Hub behind MQTT: admits devices, knows who is connected, one connection an identity.
class Service final : public mqtt::Service {
  public:
    Service(const Authenticator& authenticator, SessionStore& sessions, log::MessageLog& log,
            const base::Clock& clock, ServiceOptions options);

    [[nodiscard]] mqtt::Admission admit(const mqtt::Connect& connect,
                                        mqtt::Channel& channel) override;

    // Before the first CONNECT; outlives the service's sessions.
    void add(TopicFamily& family) { families_.push_back(&family); }
    [[nodiscard]] const std::vector<TopicFamily*>& families() const noexcept { return families_; }
    // The live session of a client id, "device" or "device/module"; null without one.
    [[nodiscard]] Endpoint* find(std::string_view client_id) const;

    [[nodiscard]] bool is_connected(std::string_view device) const;
    // Ends the device's connection and those of its modules; how many there were.
    std::size_t disconnect(std::string_view device, std::string_view reason);
    std::size_t disconnect_all(std::string_view reason);

    [[nodiscard]] const Observed& observed() const noexcept { return options_.observed; }
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t connected() const noexcept { return connected_.size(); }
    [[nodiscard]] std::size_t connected_devices() const;  // without modules
    void count_message(std::size_t bytes) noexcept;
    void forget(const Session& session);

  private:
    [[nodiscard]] base::Result<mqtt::Admission> open_session(const mqtt::Connect& connect,
                                                             mqtt::Channel& channel,
                                                             DeviceIdentity identity);
    [[nodiscard]] mqtt::ConnectCode code_of(const base::Error& error,
                                            const mqtt::Connect& connect) const;
    [[nodiscard]] base::MonotonicTime end_of(std::int64_t token_expiry_s) const;

    const Authenticator& authenticator_;
    SessionStore& sessions_;
    log::MessageLog& log_;
    const base::Clock& clock_;
    ServiceOptions options_;
    Counters counters_;
    std::vector<TopicFamily*> families_;
    std::unordered_map<std::string, Session*> connected_;  // by client id
};

}  // namespace mitral::cloud::hub
