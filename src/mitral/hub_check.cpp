#include "mitral/hub_check.hpp"

#include <array>
#include <vector>

#include "azure/topics.hpp"
#include "base/errors.hpp"
#include "uplink/error.hpp"
#include "uplink/session.hpp"

namespace mitral::cli {
namespace {

using net::IoOutcome;
using uplink::Session;

class Conversation {
  public:
    Conversation(net::TlsStream& stream, Session& session, base::Milliseconds timeout)
        : stream_(stream), session_(session), timeout_(timeout) {}

    base::Status until_up() {
        while (session_.state() == Session::State::connecting) {
            MITRAL_CHECK(send_all());
            MITRAL_CHECK(receive_some());
        }
        return {};
    }

    base::Status send_all() {
        while (!session_.output().empty()) {
            MITRAL_TRY(const auto outcome, stream_.write(session_.output()));
            if (outcome.kind == IoOutcome::Kind::done)
                session_.consumed(outcome.bytes);
            else
                MITRAL_CHECK(wait(outcome.kind));
        }
        return {};
    }

  private:
    base::Status receive_some() {
        std::array<std::uint8_t, 256> buffer{};
        MITRAL_TRY(const auto outcome, stream_.read(buffer));
        if (outcome.kind != IoOutcome::Kind::done)
            return wait(outcome.kind);
        std::vector<uplink::Acknowledged> none;
        return session_.receive(base::ByteView(buffer).first(outcome.bytes), none);
    }

    base::Status wait(IoOutcome::Kind kind) {
        if (kind == IoOutcome::Kind::closed)
            return base::fail(uplink::UplinkError::link_closed,
                              "the hub closed the connection without an answer");
        if (!wait_for(stream_, kind, timeout_))
            return base::fail(base::BaseError::timed_out, "no CONNACK");
        return {};
    }

    net::TlsStream& stream_;
    Session& session_;
    base::Milliseconds timeout_;
};

}  // namespace

base::Status try_hub(const RouteRequest& route, const uplink::Assignment& assignment,
                     const base::Secret& token, const base::Clock& clock) {
    MITRAL_TRY(const auto context, net::TlsContext::client(route.tls));
    MITRAL_TRY(auto socket, net::connect_tcp({route.server, route.proxy, route.timeout}));
    MITRAL_TRY(auto stream, context.connect(std::move(socket), route.server.host));
    MITRAL_CHECK(complete_handshake(stream, route.timeout));

    MITRAL_TRY(const auto username, azure::hub_username(assignment.hub, assignment.device_id));
    Session session({}, clock);
    MITRAL_CHECK(session.start(assignment.device_id, username, token.view()));
    Conversation conversation(stream, session, route.timeout);
    MITRAL_CHECK(conversation.until_up());
    session.disconnect();
    MITRAL_CHECK(conversation.send_all());
    stream.shutdown();
    return {};
}

}  // namespace mitral::cli
