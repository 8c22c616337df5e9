// An AMQP endpoint with all that stands behind it, and connections without sockets.
#pragma once

#include "cloud/amqp/endpoint.hpp"
#include "cloud/state.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::test {

class FakeTransport final : public front::Transport {
  public:
    FakeTransport(base::EventLoop& loop, const base::Clock& clock) : loop_(loop), clock_(clock) {}

    void send(base::ByteView bytes) override {
        output.insert(output.end(), bytes.begin(), bytes.end());
    }
    void send_after_commit(base::ByteView bytes) override { send(bytes); }
    void close(std::string_view reason) override { closed = reason; }
    void close_when_sent(std::string_view reason) override { closed = reason; }
    [[nodiscard]] bool closing() const noexcept override { return !closed.empty(); }
    void vanish() override { closed = "vanished"; }
    void set_deadline(base::MonotonicTime at) override { deadline = at; }
    void clear_deadline() noexcept override { deadline = {}; }
    [[nodiscard]] net::CertificateChain certificates() const override { return {}; }
    [[nodiscard]] bool output_congested() const noexcept override { return congested; }
    [[nodiscard]] const base::Clock& clock() const noexcept override { return clock_; }
    [[nodiscard]] base::EventLoop& loop() noexcept override { return loop_; }

    base::Bytes output;
    std::string closed;
    base::MonotonicTime deadline{};
    bool congested = false;

  private:
    base::EventLoop& loop_;
    const base::Clock& clock_;
};

struct AmqpStand {
    mitral::test::TemporaryDirectory directory{};
    base::ManualClock clock{base::WallTime{1'790'000'000'000}};
    std::unique_ptr<base::EventLoop> loop = *base::EventLoop::create();
    std::unique_ptr<State> state = *State::open(directory.path("state"), clock);
    hub::Hosts hosts{{"localhost"}};
    hub::Authenticator authenticator{state->registry, state->authorities, state->policies, hosts,
                                     clock,           base::Seconds(300)};
    log::MessageLog log = *log::MessageLog::open({.directory = directory.path("messages")});
    log::Broadcast news{};
    hub::DeviceboundQueue queue{state->database, clock};
    bool may_send = true;
    metrics::BackEndTraffic traffic;
    amqp::Endpoint endpoint{{authenticator, state->policies, hosts, log, news, queue,
                             [](std::string_view) {}, [this] { return may_send; }, clock, traffic},
                            {}};
};

// What a client says first: SASL PLAIN with the key of a policy (not above 100 bytes together), and
// its open frame.
inline std::string signed_in_as(const AmqpStand& stand, const std::string& policy) {
    using namespace std::string_literals;
    const auto key = (*stand.state->policies.find(hub::hub_service, policy))->primary_key;
    const auto response = "\0"s + policy + "\0"s + key;
    const auto fields = "\xa3\x05PLAIN\xa0"s + static_cast<char>(response.size()) + response;
    const auto body = "\x00\x53\x41\xc0"s + static_cast<char>(fields.size() + 1) + "\x02" + fields;
    return "AMQP\x03\x01\x00\x00\x00\x00\x00"s + static_cast<char>(body.size() + 8) +
           "\x02\x01\x00\x00"s + body + "AMQP\x00\x01\x00\x00"s +
           "\x00\x00\x00\x10\x02\x00\x00\x00\x00\x53\x10\xc0\x03\x01\xa1\x00"s;
}

}  // namespace mitral::cloud::test
