#include "cloud/dps/service.hpp"

#include "azure/dps.hpp"
#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::dps {
namespace {

class Session final : public mqtt::Session {
  public:
    Session(Registrar& registrar, mqtt::Channel& channel, std::string registration_id,
            std::string token, net::CertificateChain certificates)
        : registrar_(registrar),
          channel_(channel),
          registration_id_(std::move(registration_id)),
          token_(std::move(token)),
          certificates_(std::move(certificates)) {}

    base::Status on_publish(const mqtt::Publish& publish) override {
        MITRAL_TRY(const auto topic, azure::parse_dps_topic(publish.topic));
        const Claim claim{.id_scope = registrar_.gatekeeper().id_scope(),
                          .registration_id = registration_id_,
                          .token = token_,
                          .certificates = certificates_};
        const auto answer = topic.kind == azure::DpsTopic::Kind::enroll
                                ? registrar_.enroll(claim, base::as_text(publish.payload))
                                : registrar_.look_up(claim, topic.operation_id);
        if (subscribed_)
            channel_.publish(
                azure::dps_answer_topic(answer.status, topic.request_id, answer.retry_after),
                base::as_bytes(answer.body));
        return {};
    }

    base::Result<std::uint8_t> on_subscribe(const mqtt::Subscription& wanted) override {
        if (wanted.filter != azure::dps_answer_filter)
            return base::fail(CloudError::protocol_violation,
                              "subscription outside the allowed filters");
        subscribed_ = true;
        return wanted.qos > 1 ? std::uint8_t{1} : wanted.qos;
    }

    void on_unsubscribe(std::string_view filter) override {
        if (filter == azure::dps_answer_filter)
            subscribed_ = false;
    }

    void on_end(bool) override {}

  private:
    Registrar& registrar_;
    mqtt::Channel& channel_;
    std::string registration_id_;
    std::string token_;
    net::CertificateChain certificates_;
    bool subscribed_ = false;
};

mqtt::Admission refused(const mqtt::Connect& connect, std::string_view cause) {
    base::log_security("registration-connect-refused",
                       {{"client", azure::shown(connect.client_id)}, {"cause", cause}});
    return {};
}

}  // namespace

mqtt::Admission Service::admit(const mqtt::Connect& connect, mqtt::Channel& channel) {
    const auto& gatekeeper = registrar_.gatekeeper();
    const auto user = azure::parse_dps_username(connect.user_name);
    const bool named = user && user->id_scope == gatekeeper.id_scope() &&
                       azure::equal_ignoring_case(user->registration_id, connect.client_id);
    if (!named || connect.will)
        return refused(connect, "user name, client id or will");
    net::CertificateChain certificates;
    if (connect.password.empty()) {
        certificates = channel.certificates();
        const auto admitted = gatekeeper.admit({.id_scope = user->id_scope,
                                                .registration_id = user->registration_id,
                                                .token = {},
                                                .certificates = certificates});
        if (!admitted && admitted.error().code == CloudError::storage)
            return {.code = mqtt::ConnectCode::server_unavailable};
        if (!admitted)
            return refused(connect, admitted.error().message());
    }
    return {.code = mqtt::ConnectCode::accepted,
            .session_present = false,
            .session =
                std::make_unique<Session>(registrar_, channel, user->registration_id,
                                          std::string(connect.password), std::move(certificates)),
            .expires = {}};
}

}  // namespace mitral::cloud::dps
