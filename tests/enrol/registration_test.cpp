// Every answer a provisioning service, or somebody in its place, could give.
#include "enrol/registration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enrol/errors.hpp"
#include "enrol/fakes.hpp"
#include "net/error.hpp"
#include "support/proves.hpp"
#include "support/result_matchers.hpp"

namespace mitral::enrol {
namespace {

using base::Milliseconds;
using test::failed_with;
using test::ok;

HttpResponse answer(int status, std::string body, std::optional<std::string> retry_after = {}) {
    return {status, std::move(retry_after), std::move(body)};
}
HttpResponse assigning(std::optional<std::string> retry_after = "3") {
    return answer(202, R"({"operationId":"4.abc/def","status":"assigning"})",
                  std::move(retry_after));
}
HttpResponse assigned(const std::string& hub = "hub.example",
                      const std::string& device = "dev-01") {
    return answer(
        200,
        R"({"operationId":"4.abc/def","status":"assigned","registrationState":{"assignedHub":")" +
            hub + R"(","deviceId":")" + device +
            R"(","registrationId":"dev-01","substatus":"initialAssignment","symmetricKey":{}}})");
}
HttpResponse service_error(int status, const std::string& code,
                           std::optional<std::string> retry = {}) {
    return answer(
        status,
        R"({"errorCode":)" + code + R"(,"trackingId":"t","message":"words of the service"})",
        std::move(retry));
}

class Registration : public ::testing::Test {
  protected:
    Registration() {
        vault.clock = &clock;
        options.confirm_hub = true;
    }

    base::Result<Outcome> run(std::initializer_list<base::Result<HttpResponse>> script) {
        https.script.assign(script);
        const Surroundings surroundings{https, vault, clock,
                                        [this](Milliseconds wait) {
                                            waits.push_back(wait.count());
                                            clock.advance(wait);
                                        },
                                        [] { return std::uint64_t{0}; }};
        return register_unit(surroundings, options);
    }

    base::ManualClock clock{base::WallTime{1'767'225'600'000}};
    test::ScriptedHttps https;
    test::ScriptedVault vault;
    RegistrationOptions options;
    std::vector<std::int64_t> waits;  // ms
};

TEST_F(Registration, RegistersPollsAndReturnsTheHub) {
    const auto outcome = run({assigning(), assigning("7"), assigned()});
    ASSERT_TRUE(ok(outcome));
    EXPECT_EQ("hub.example", outcome->hub);
    EXPECT_EQ("dev-01", outcome->device_id);
    EXPECT_EQ("initialAssignment", outcome->substatus);
    EXPECT_TRUE(outcome->hub_confirmed);
    ASSERT_EQ(3U, https.requests.size());
    EXPECT_EQ(HttpRequest::Method::put, https.requests[0].method);
    EXPECT_EQ("/0ne000A0A0A/registrations/dev-01/register?api-version=2021-06-01",
              https.requests[0].path);
    EXPECT_EQ(R"({"registrationId":"dev-01"})", https.requests[0].body);
    EXPECT_EQ(HttpRequest::Method::get, https.requests[1].method);
    EXPECT_EQ("/0ne000A0A0A/registrations/dev-01/operations/4.abc%2Fdef?api-version=2021-06-01",
              https.requests[1].path);
    EXPECT_THAT(waits, testing::ElementsAre(3000, 7000));
    EXPECT_THAT(https.tokens, testing::Each("SharedAccessSignature token-1"));
}

TEST_F(Registration, TakesAnAnswerThatIsThereAtOnce) {
    EXPECT_TRUE(ok(run({assigned()})));
    EXPECT_TRUE(waits.empty());
}

TEST_F(Registration, RefusesAHubThatTheStationDidNotSign) {
    MITRAL_PROVES("T-MITM-04");
    for (const auto* hub :
         {"evil.example", "hub.example.evil.example", "hub.example:8883", "xhub.example"}) {
        const auto outcome = run({assigned(hub)});
        EXPECT_TRUE(failed_with(outcome, EnrolError::foreign_hub)) << hub;
    }
    EXPECT_TRUE(ok(run({assigned("HUB.example")})));  // names have no case
}

TEST_F(Registration, AsksAboutTheHubOnlyWhenTold) {
    vault.may_mint_hub = false;
    EXPECT_TRUE(failed_with(run({assigned()}), vault::VaultError::refused));
    options.confirm_hub = false;
    const auto outcome = run({assigned("other.example")});
    ASSERT_TRUE(ok(outcome));
    EXPECT_FALSE(outcome->hub_confirmed);
}

TEST_F(Registration, RefusesAnotherIdentity) {
    MITRAL_PROVES("T-ID-02", "T-MITM-04");
    EXPECT_TRUE(
        failed_with(run({assigned("hub.example", "dev-02")}), EnrolError::foreign_identity));
    EXPECT_TRUE(
        failed_with(run({assigned("hub.example", "DEV-01")}), EnrolError::foreign_identity));
    EXPECT_TRUE(failed_with(
        run({answer(200, R"({"status":"assigned","registrationState":{"assignedHub":"hub.example",)"
                         R"("deviceId":"dev-01","registrationId":"dev-99"}})")}),
        EnrolError::foreign_identity));
}

TEST_F(Registration, NamesEachFinalState) {
    const auto failed =
        run({answer(200, R"({"status":"failed","registrationState":{"errorCode":400208,)"
                         R"("errorMessage":"no hub"}})")});
    EXPECT_TRUE(failed_with(failed, EnrolError::failed));
    EXPECT_THAT(failed.error().context, testing::HasSubstr("link an IoT hub"));
    EXPECT_TRUE(failed_with(run({answer(200, R"({"operationId":"","status":"disabled"})")}),
                            EnrolError::disabled));
    EXPECT_TRUE(failed_with(run({service_error(404, "404201")}), EnrolError::unknown_scope));
    EXPECT_TRUE(failed_with(run({service_error(400, "400000")}), EnrolError::unexpected_status));
    EXPECT_TRUE(failed_with(
        run({answer(200, R"({"status":"assigned","registrationState":{"assignedHub":"hub.example",)"
                         R"("deviceId":"dev-01","connectionProfile":"mqttv5"}})")}),
        EnrolError::unsupported_profile));
    EXPECT_TRUE(waits.empty());
}

TEST_F(Registration, TriesARefusedTokenOnceMoreWithAFreshOne) {
    EXPECT_TRUE(ok(run({service_error(401, "401002"), assigned()})));
    EXPECT_EQ("SharedAccessSignature token-1", https.tokens[0]);
    EXPECT_EQ("SharedAccessSignature token-2", https.tokens[1]);

    https.requests.clear();
    const auto refused = run({service_error(401, "401002")});
    EXPECT_TRUE(failed_with(refused, EnrolError::unauthorised));
    EXPECT_EQ(2U, https.requests.size());
    EXPECT_THAT(refused.error().context, testing::HasSubstr("401002"));
    EXPECT_THAT(refused.error().context, testing::HasSubstr("clock"));
}

TEST_F(Registration, NeverFollowsARedirect) {
    MITRAL_PROVES("T-MITM-04", "T-SW-03");
    for (const int status : {301, 302, 307, 308})
        EXPECT_TRUE(failed_with(run({answer(status, "")}), EnrolError::redirected)) << status;
    EXPECT_EQ(4U, https.requests.size());
}

TEST_F(Registration, RefusesHostileBodies) {
    MITRAL_PROVES("T-SW-03");
    for (
        const std::string& body :
        {std::string(), std::string("<html>login</html>"), std::string("null"), std::string("{}"),
         std::string(40'000, '['), std::string(R"({"status":"assigned"})"),
         std::string(R"({"status":["assigned"]})"), std::string(R"({"status":"unassigned"})"),
         std::string(
             R"({"status":"assigned","registrationState":{"assignedHub":7,"deviceId":"dev-01"}})")})
        EXPECT_TRUE(failed_with(run({answer(200, body)}), EnrolError::malformed_answer))
            << body.substr(0, 60);
    EXPECT_TRUE(failed_with(run({answer(100, "")}), EnrolError::unexpected_status));
    EXPECT_TRUE(failed_with(run({answer(204, "")}), EnrolError::unexpected_status));
    EXPECT_TRUE(
        failed_with(run({base::fail(base::BaseError::too_large, "")}), base::BaseError::too_large));
}

TEST_F(Registration, BacksOffAndGivesUpInTime) {
    MITRAL_PROVES("T-DOS-03");
    options.give_up_after = Milliseconds(120'000);
    const auto outcome = run({base::fail(net::NetError::unreachable, "dps.example:443")});
    EXPECT_TRUE(failed_with(outcome, EnrolError::out_of_time));
    EXPECT_THAT(outcome.error().context, testing::HasSubstr("not reachable"));
    EXPECT_THAT(waits, testing::ElementsAre(1000, 2000, 4000, 8000, 16'000, 32'000));
    EXPECT_TRUE(is_temporary(outcome.error().code));
}

TEST_F(Registration, HonoursRetryAfter) {
    MITRAL_PROVES("T-DOS-03");
    EXPECT_TRUE(ok(
        run({service_error(429, "429001", "30"), service_error(503, "503001", "40"), assigned()})));
    EXPECT_THAT(waits, testing::ElementsAre(30'000, 40'000));
    waits.clear();
    EXPECT_TRUE(failed_with(run({assigning("86400")}), EnrolError::out_of_time));
    EXPECT_THAT(waits, testing::Each(300'000));
}

TEST_F(Registration, AnEndlessAssigningEndsToo) {
    MITRAL_PROVES("T-SW-03");
    EXPECT_TRUE(failed_with(run({assigning("1")}), EnrolError::out_of_time));
    EXPECT_LE(https.requests.size(), 602U);
}

TEST_F(Registration, DoesNotRetryABrokenTrust) {
    MITRAL_PROVES("T-MITM-01", "T-MITM-02");
    for (const auto error :
         {net::NetError::untrusted_issuer, net::NetError::self_signed, net::NetError::name_mismatch,
          net::NetError::certificate_expired, net::NetError::protocol_version}) {
        https.requests.clear();
        EXPECT_TRUE(failed_with(run({base::fail(error, "dps.example")}), error));
        EXPECT_EQ(1U, https.requests.size());
    }
}

TEST_F(Registration, MintsAgainBeforeATokenEnds) {
    options.token_lifetime = base::Seconds(120);
    EXPECT_TRUE(ok(run({assigning("50"), assigning("50"), assigned()})));
    EXPECT_THAT(https.tokens, testing::ElementsAre("SharedAccessSignature token-1",
                                                   "SharedAccessSignature token-1",
                                                   "SharedAccessSignature token-2"));
}

TEST_F(Registration, OnlyAReadyIdentityRegisters) {
    for (const auto state : {vault::VaultState::unprovisioned, vault::VaultState::quarantined,
                             vault::VaultState::wiped}) {
        vault.identity.state = state;
        EXPECT_TRUE(failed_with(run({assigned()}), EnrolError::not_provisioned));
    }
    EXPECT_TRUE(https.requests.empty());
}

TEST_F(Registration, WaitsForABusyVaultButNotForARefusal) {
    vault.mint_failures = {vault::VaultError::rate_limited, vault::VaultError::backend_unavailable};
    EXPECT_TRUE(ok(run({assigned()})));
    vault.mint_failures = {vault::VaultError::clock_refused};
    EXPECT_TRUE(failed_with(run({assigned()}), vault::VaultError::clock_refused));
}

TEST_F(Registration, NoErrorHoldsTheToken) {
    MITRAL_PROVES("T-TOK-03");
    for (const auto& script :
         {service_error(401, "401002"), answer(200, "SharedAccessSignature token-1"),
          service_error(404, "404201"), assigned("evil.example")}) {
        const auto outcome = run({script});
        ASSERT_FALSE(outcome);
        EXPECT_EQ(std::string::npos, outcome.error().message().find("token-"));
    }
}

TEST(CheckServer, TheSignedNameWins) {
    MITRAL_PROVES("T-MITM-04");
    vault::VaultStatus status;
    status.dps_host = "dps.example";
    EXPECT_TRUE(ok(check_server(status, {"dps.example", 443})));
    EXPECT_TRUE(ok(check_server(status, {"dps.example", 8443})));
    EXPECT_TRUE(failed_with(check_server(status, {"evil.example", 443}), EnrolError::foreign_hub));
    status.dps_host = "localhost:38443";
    EXPECT_TRUE(ok(check_server(status, {"localhost", 38443})));
    EXPECT_TRUE(failed_with(check_server(status, {"localhost", 443}), EnrolError::foreign_hub));
}

TEST(BackoffTest, StaysWithinItsBounds) {
    MITRAL_PROVES("T-DOS-03");
    std::uint64_t value = 0;
    Backoff backoff(Milliseconds(1000), Milliseconds(60'000),
                    [&] { return value += 0x9E3779B97F4A7C15U; });
    for (int i = 0; i < 1000; ++i) {
        const auto wait = backoff.next().count();
        EXPECT_GE(wait, 500);
        EXPECT_LE(wait, 60'000);
    }
    for (int i = 0; i < 100; ++i) {
        const auto wait = backoff.next(Milliseconds(300'000)).count();
        EXPECT_GE(wait, 300'000);
        EXPECT_LE(wait, 450'000);
    }
    backoff.reset();
    EXPECT_LE(backoff.next().count(), 1000);
}

}  // namespace
}  // namespace mitral::enrol
