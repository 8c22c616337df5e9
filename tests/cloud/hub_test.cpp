#include <gtest/gtest.h>

#include "azure/sas.hpp"
#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/hub/devicebound_channel.hpp"
#include "cloud/hub/service.hpp"
#include "cloud/hub/twin_channel.hpp"
#include "cloud/log/tail.hpp"
#include "cloud/state.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::hub {
namespace {

using mqtt::ConnectCode;

constexpr base::WallTime start{1'790'000'000'000};
constexpr std::string_view host = "hub.mitral.test";

class FakeChannel final : public mqtt::Channel {
  public:
    void publish(std::string_view topic, base::ByteView payload) override {
        published.emplace_back(topic, base::as_text(payload));
    }
    void publish_acknowledged(std::string_view topic, base::ByteView payload,
                              mqtt::Delivery delivery) override {
        publish(topic, payload);
        delivered.push_back(delivery);
    }
    void close(std::string_view reason) override { closed = reason; }

    std::vector<std::pair<std::string, std::string>> published;
    std::vector<mqtt::Delivery> delivered;
    std::string closed;
};

class HubTest : public ::testing::Test {
  protected:
    HubTest()
        : state_(*State::open(directory_.path("state"), clock_)),
          log_(*log::MessageLog::open({.directory = directory_.path("messages")})),
          sessions_(state_->database),
          authenticator_(state_->registry, state_->authorities, state_->policies, hosts_, clock_,
                         base::Seconds(300)),
          service_(authenticator_, sessions_, log_, clock_, {.expiry_grace = base::Seconds(60)}) {
        service_.add(twins_);
        service_.add(devicebound_);
        add("dev-01");
    }

    Device add(const std::string& id) {
        const auto device = state_->registry.create({.id = id});
        EXPECT_TRUE(device);
        return *device;
    }

    // A token as a device makes it, for any resource and key.
    std::string token(std::string_view resource, const std::string& key,
                      base::Seconds life = base::Seconds(3600), std::string_view policy = {}) {
        const auto secret = base::from_base64(key);
        const auto expiry = clock_.wall().unix_seconds() + life.count();
        const auto made = azure::sign_token(*secret, resource, expiry, policy);
        EXPECT_TRUE(made);
        return std::string(base::as_text(made->view()));
    }

    std::string key(const std::string& device) {
        return (*state_->registry.find(device))->authentication.primary_key;
    }
    static std::string resource(std::string_view device) {
        return std::string(host) + "/devices/" + std::string(device);
    }

    mqtt::Admission admit(const std::string& client, const std::string& user,
                          const std::string& password, bool clean = true) {
        mqtt::Connect connect;
        connect.known_protocol = true;
        connect.client_id = client;
        connect.user_name = user;
        connect.password = password;
        connect.clean_session = clean;
        return service_.admit(connect, channel_);
    }
    static std::string user(std::string_view device) {
        return std::string(host) + "/" + std::string(device) + "/?api-version=2021-04-12";
    }
    ConnectCode code(const std::string& password, const std::string& device = "dev-01") {
        return admit(device, user(device), password).code;
    }
    mqtt::Admission connected(const std::string& device = "dev-01", bool clean = true) {
        return admit(device, user(device), token(resource(device), key(device)), clean);
    }
    std::string logged() {
        EXPECT_TRUE(log_.commit());
        return *log::Tail(log_, 0).next(1 << 20);
    }

    test::TemporaryDirectory directory_;
    base::ManualClock clock_{start};
    std::unique_ptr<State> state_;
    log::MessageLog log_;
    Hosts hosts_{{"hub.mitral.test", "localhost"}};
    SessionStore sessions_;
    Authenticator authenticator_;
    TwinChannel twins_{state_->twins};
    DeviceboundQueue queue_{state_->database, clock_};
    DeviceboundChannel devicebound_{queue_};
    Service service_;
    FakeChannel channel_;
};

mqtt::Publish publish(std::string_view topic, std::string_view body = "{}") {
    return {.topic = topic, .payload = base::as_bytes(body), .packet_id = 1, .qos = 1};
}

TEST_F(HubTest, TakesEitherKeyAndRefusesAnyOther) {
    MITRAL_PROVES("T-TOK-02", "T-TOK-05", "CR 1.14", "CR 1.2");
    const auto other = add("dev-02");
    const auto secondary = (*state_->registry.find("dev-01"))->authentication.secondary_key;
    EXPECT_EQ(code(token(resource("dev-01"), key("dev-01"))), ConnectCode::accepted);
    EXPECT_EQ(code(token(resource("dev-01"), secondary)), ConnectCode::accepted);
    EXPECT_EQ(code(token(resource("dev-01"), other.authentication.primary_key)),
              ConnectCode::not_authorised);
    EXPECT_EQ(code(""), ConnectCode::not_authorised);
    EXPECT_EQ(code("SharedAccessSignature sr=&sig=&se="), ConnectCode::not_authorised);
    auto flipped = token(resource("dev-01"), key("dev-01"));
    flipped[flipped.find("sig=") + 5] ^= 1;
    EXPECT_EQ(code(flipped), ConnectCode::not_authorised);
}

TEST_F(HubTest, RefusesTokensForSomethingElse) {
    MITRAL_PROVES("T-TOK-02", "CR 2.1");
    const auto own = key("dev-01");
    for (const auto& wrong :
         {resource("dev-0"), resource("dev-012"), resource("dev-02"), resource("DEV-02"),
          resource("dev-01/modules/m"), std::string("other.mitral.test/devices/dev-01")})
        EXPECT_EQ(code(token(wrong, own)), ConnectCode::not_authorised) << wrong;
    EXPECT_EQ(code(token("localhost:8883/devices/dev-01", own)), ConnectCode::accepted);
}

TEST_F(HubTest, RefusesExpiredTokensBeyondTheSkew) {
    MITRAL_PROVES("T-TOK-05", "CR 1.14");
    const auto old = token(resource("dev-01"), key("dev-01"), base::Seconds(100));
    clock_.advance(std::chrono::seconds(399));
    EXPECT_EQ(code(old), ConnectCode::accepted);
    clock_.advance(std::chrono::seconds(2));
    EXPECT_EQ(code(old), ConnectCode::not_authorised);
}

TEST_F(HubTest, RefusesUnknownAndDisabledDevicesAndForeignNames) {
    MITRAL_PROVES("T-ID-02", "CR 1.2", "CR 1.13");
    const auto good = token(resource("dev-01"), key("dev-01"));
    EXPECT_EQ(admit("dev-02", user("dev-02"), good).code, ConnectCode::not_authorised);
    EXPECT_EQ(admit("dev-02", user("dev-01"), good).code, ConnectCode::not_authorised);
    EXPECT_EQ(admit("dev-01", "elsewhere.test/dev-01/?api-version=2021-04-12", good).code,
              ConnectCode::not_authorised);
    EXPECT_EQ(admit("dev-01", "", good).code, ConnectCode::not_authorised);
    auto device = **state_->registry.find("dev-01");
    device.enabled = false;
    ASSERT_TRUE(state_->registry.update(device, "*"));
    EXPECT_EQ(code(good), ConnectCode::not_authorised);
}

TEST_F(HubTest, PolicyTokensNeedTheRight) {
    MITRAL_PROVES("CR 2.1", "T-TOK-02");
    const auto device_policy = (*state_->policies.find(hub_service, "device"))->primary_key;
    const auto service_policy = (*state_->policies.find(hub_service, "service"))->primary_key;
    const auto life = base::Seconds(3600);
    EXPECT_EQ(code(token(host, device_policy, life, "device")), ConnectCode::accepted);
    EXPECT_EQ(code(token(host, service_policy, life, "service")), ConnectCode::not_authorised);
    EXPECT_EQ(code(token(host, device_policy, life, "service")), ConnectCode::not_authorised);
    EXPECT_TRUE(authenticator_.service(hub_service, token(host, service_policy, life, "service"),
                                       service_connect));
    EXPECT_FALSE(authenticator_.service(hub_service, token(host, service_policy, life, "service"),
                                        registry_read));
    EXPECT_FALSE(authenticator_.service(hub_service, token(resource("dev-01"), key("dev-01")), 0));
}

TEST_F(HubTest, StampsTelemetryAndKeepsItWhole) {
    MITRAL_PROVES("T-DATA-02");
    auto admission = connected();
    auto message =
        publish("devices/dev-01/messages/events/%24.mid=m%201&%24.ct=application%2Fjson&a=b&n");
    message.retain = true;
    ASSERT_TRUE(admission.session->on_publish(message));
    const auto line = logged();
    EXPECT_NE(line.find(R"("device":"dev-01","mid":"m 1")"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("properties":{"a":"b","n":null,"mqtt-retain":"true"})"),
              std::string::npos);
    EXPECT_NE(line.find(R"("$.ct":"application/json")"), std::string::npos);
    EXPECT_NE(line.find(R"("iothub-connection-device-id":"dev-01")"), std::string::npos);
    EXPECT_EQ(service_.counters().messages, 1U);
}

TEST_F(HubTest, RefusesForeignTopicsAndOversizedMessages) {
    MITRAL_PROVES("CR 2.1", "T-ID-02", "T-DOS-04");
    auto session = connected().session;
    for (const auto* topic : {"devices/dev-02/messages/events/", "devices/dev-011/messages/events/",
                              "devices/dev-01/x", "devices/dev-01/modules/m/messages/events/",
                              "$iothub/methods/res/200/?$rid=1", "elsewhere"})
        EXPECT_FALSE(session->on_publish(publish(topic))) << topic;
    const std::string most(256 * 1024, 'x');
    EXPECT_TRUE(session->on_publish(publish("devices/dev-01/messages/events/", most)));
    EXPECT_FALSE(session->on_publish(publish("devices/dev-01/messages/events/a=b", most)));
}

TEST_F(HubTest, NobodyClaimsAnotherConnectionIdentity) {
    MITRAL_PROVES("T-ID-02");
    auto session = connected().session;
    ASSERT_TRUE(session->on_publish(
        publish("devices/dev-01/messages/events/iothub-connection-device-id=dev-02&"
                "%24.cdid=dev-02")));
    EXPECT_NE(logged().find(R"("iothub-connection-device-id":"dev-01")"), std::string::npos);
}

TEST_F(HubTest, SubscriptionsStayInTheAllowedFilters) {
    MITRAL_PROVES("CR 2.1", "T-WAY-01");
    auto session = connected().session;
    EXPECT_EQ(*session->on_subscribe({"devices/dev-01/messages/devicebound/#", 2}), 1);
    EXPECT_EQ(*session->on_subscribe({"$iothub/twin/res/#", 0}), 0);
    for (const auto* filter :
         {"#", "devices/#", "devices/dev-02/messages/devicebound/#",
          "devices/+/messages/devicebound/#", "$iothub/#", "$dps/registrations/res/#"})
        EXPECT_FALSE(session->on_subscribe({filter, 0})) << filter;
}

TEST_F(HubTest, AnswersTheTwinOnlyToSubscribers) {
    auto session = connected().session;
    ASSERT_TRUE(session->on_publish(publish("$iothub/twin/GET/?$rid=7", " ")));
    EXPECT_TRUE(channel_.published.empty());
    ASSERT_TRUE(session->on_subscribe({"$iothub/twin/res/#", 0}));
    ASSERT_TRUE(session->on_publish(publish("$iothub/twin/GET/?$rid=7", " ")));
    ASSERT_EQ(channel_.published.size(), 1U);
    EXPECT_EQ(channel_.published[0].first, "$iothub/twin/res/200/?$rid=7");
}

TEST_F(HubTest, PersistsSubscriptionsOfUncleanSessions) {
    auto first = connected("dev-01", false);
    EXPECT_FALSE(first.session_present);
    ASSERT_TRUE(first.session->on_subscribe({"$iothub/twin/res/#", 0}));
    first.session->on_end(true);
    auto second = connected("dev-01", false);
    EXPECT_TRUE(second.session_present);
    ASSERT_TRUE(second.session->on_publish(publish("$iothub/twin/GET/?$rid=1")));
    EXPECT_EQ(channel_.published.size(), 1U);
    second.session->on_end(true);
    EXPECT_FALSE(connected("dev-01", true).session_present);
    EXPECT_FALSE(connected("dev-01", false).session_present);
}

TEST_F(HubTest, ASecondConnectionTakesOver) {
    MITRAL_PROVES("T-ID-02");
    FakeChannel first_channel;
    mqtt::Connect connect;
    const auto name = user("dev-01");
    const auto password = token(resource("dev-01"), key("dev-01"));
    connect.client_id = "dev-01";
    connect.user_name = name;
    connect.password = password;
    auto first = service_.admit(connect, first_channel);
    auto second = service_.admit(connect, channel_);
    EXPECT_NE(first_channel.closed, "");
    EXPECT_EQ(channel_.closed, "");
    first.session->on_end(false);
    EXPECT_TRUE(
        service_.is_connected("dev-01"));  // the end of the old one does not forget the new one
    EXPECT_EQ(service_.disconnect("dev-01", "test"), 1U);
    second.session->on_end(false);
    EXPECT_FALSE(service_.is_connected("dev-01"));
}

TEST_F(HubTest, EndsAConnectionAfterItsTokenAndTheGrace) {
    MITRAL_PROVES("T-TOK-05", "CR 2.6");
    const auto admission = admit("dev-01", user("dev-01"),
                                 token(resource("dev-01"), key("dev-01"), base::Seconds(100)));
    ASSERT_TRUE(admission.expires);
    EXPECT_EQ(*admission.expires - clock_.monotonic(), std::chrono::seconds(160));
}

TEST_F(HubTest, SendsTheWillOfAVanishedClientOnly) {
    const auto name = user("dev-01");
    const auto password = token(resource("dev-01"), key("dev-01"));
    mqtt::Connect connect;
    connect.client_id = "dev-01";
    connect.user_name = name;
    connect.password = password;
    connect.will = mqtt::Will{"devices/dev-01/messages/events/", base::as_bytes("bye"), 1, false};
    service_.admit(connect, channel_).session->on_end(true);
    EXPECT_EQ(logged(), "");
    service_.admit(connect, channel_).session->on_end(false);
    EXPECT_NE(logged().find(R"("iothub-MessageType":"Will")"), std::string::npos);
    connect.will->topic = "devices/dev-02/messages/events/";
    EXPECT_EQ(service_.admit(connect, channel_).code, ConnectCode::not_authorised);
}

TEST_F(HubTest, RegistryGuardsEtagsAndIds) {
    EXPECT_EQ(state_->registry.create({.id = "dev-01"}).error().code, CloudError::already_exists);
    EXPECT_EQ(state_->registry.create({.id = "a/b"}).error().code, CloudError::invalid_argument);
    EXPECT_EQ(state_->registry.create({.id = "a+b"}).error().code, CloudError::invalid_argument);
    EXPECT_EQ(state_->registry.create({.id = "k", .authentication = {.primary_key = "c2hvcnQ="}})
                  .error()
                  .code,
              CloudError::invalid_argument);
    EXPECT_EQ(state_->registry.update({.id = "none"}, "*").error().code, CloudError::not_found);
    EXPECT_EQ(state_->registry.update({.id = "dev-01"}, "old").error().code,
              CloudError::stale_etag);
    const auto before = **state_->registry.find("dev-01");
    const auto after = state_->registry.update({.id = "dev-01", .enabled = false}, before.etag);
    ASSERT_TRUE(after);
    EXPECT_NE(after->etag, before.etag);
    EXPECT_EQ(after->authentication.primary_key, before.authentication.primary_key);
    EXPECT_EQ(after->generation, before.generation);
    EXPECT_TRUE(state_->registry.remove("dev-01", "*"));
    EXPECT_FALSE(*state_->registry.find("dev-01"));
}

}  // namespace
}  // namespace mitral::cloud::hub
