#include <gtest/gtest.h>

#include "azure/dps.hpp"
#include "azure/sas.hpp"
#include "base/encoding.hpp"
#include "cloud/dps/registrar.hpp"
#include "cloud/error.hpp"
#include "cloud/state.hpp"
#include "support/proves.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::dps {
namespace {

constexpr base::WallTime start{1'790'000'000'000};

class ProvisioningTest : public ::testing::Test {
  protected:
    ProvisioningTest()
        : state_(*State::open(directory_.path("state"), clock_)),
          gatekeeper_(state_->enrollments, state_->authorities, state_->id_scope, clock_,
                      base::Seconds(300)),
          registrar_(gatekeeper_, state_->registry, state_->database, clock_,
                     {.assigned_hub = "hub.mitral.test:8883",
                      .retry_after = base::Seconds(3),
                      .failure = [this](bool) { return failure_; },
                      .other_hub = [this](const std::string&) { return other_hub_; },
                      .device_reset = [this](const std::string& id) { resets_.push_back(id); }}) {
        group_ = *state_->enrollments.put({.kind = EnrollmentKind::group, .id = "fleet"}, "");
    }

    std::string token(const std::string& group_key, const std::string& id,
                      const std::string& signed_id, base::Seconds life = base::Seconds(3600)) {
        const auto key = azure::derive_device_key(*base::from_base64(group_key), id);
        return token_with(base::to_base64(key.view()), signed_id, life);
    }
    std::string token_with(const std::string& key, const std::string& signed_id,
                           base::Seconds life = base::Seconds(3600)) {
        const auto made = azure::sign_token(
            *base::from_base64(key), state_->id_scope + "/registrations/" + signed_id,
            clock_.wall().unix_seconds() + life.count(), "registration");
        EXPECT_TRUE(made);
        return std::string(base::as_text(made->view()));
    }
    Claim claim(const std::string& id, const std::string& shown) const {
        return {.id_scope = state_->id_scope, .registration_id = id, .token = shown};
    }
    static azure::RegistrationAnswer parsed(const Answer& answer) {
        const auto body = azure::parse_registration_answer(answer.body);
        EXPECT_TRUE(body) << answer.body;
        return body.value_or(azure::RegistrationAnswer{});
    }
    Answer register_fully(const std::string& id, const std::string& shown) {
        const auto first = registrar_.enroll(claim(id, shown), "");
        if (first.status != 202)
            return first;
        return registrar_.look_up(claim(id, shown), parsed(first).operation_id);
    }

    // Of dev-07 in the group, whose rule is as given here.
    azure::RegistrationAnswer register_again(bool updates, bool migrates) {
        group_.updates_hub_assignment = updates;
        group_.migrates_device_data = migrates;
        EXPECT_TRUE(state_->enrollments.put(group_, "*"));
        return parsed(register_fully("dev-07", token(group_.primary_key, "dev-07", "dev-07")));
    }

    std::optional<std::int64_t> failure_;
    std::optional<std::string> other_hub_;
    std::vector<std::string> resets_;
    test::TemporaryDirectory directory_;
    base::ManualClock clock_{start};
    std::unique_ptr<State> state_;
    Gatekeeper gatekeeper_;
    Registrar registrar_;
    Enrollment group_;
};

TEST_F(ProvisioningTest, AssignsAMemberOfTheGroup) {
    const std::string id = "dev-01";
    const auto shown = token(group_.primary_key, id, id);
    const auto first = registrar_.enroll(claim(id, shown), R"({"registrationId":"DEV-01"})");
    EXPECT_EQ(first.status, 202);
    EXPECT_EQ(first.retry_after, base::Seconds(3));
    EXPECT_EQ(parsed(first).status, azure::RegistrationStatus::assigning);
    EXPECT_FALSE(*state_->registry.find(id));
    const auto second = registrar_.look_up(claim(id, shown), parsed(first).operation_id);
    EXPECT_EQ(second.status, 200);
    EXPECT_EQ(parsed(second).status, azure::RegistrationStatus::assigned);
    EXPECT_EQ(parsed(second).assigned_hub, "hub.mitral.test:8883");
    EXPECT_EQ(parsed(second).device_id, id);
    const auto device = *state_->registry.find(id);
    ASSERT_TRUE(device);
    const auto key = azure::derive_device_key(*base::from_base64(group_.primary_key), id);
    EXPECT_EQ(device->authentication.primary_key, base::to_base64(key.view()));
}

TEST_F(ProvisioningTest, TakesTheSecondaryKeyAndAnyCaseOfTheId) {
    EXPECT_EQ(register_fully("dev-02", token(group_.secondary_key, "dev-02", "dev-02")).status,
              200);
    const auto upper = register_fully("DEV-03", token(group_.primary_key, "DEV-03", "DEV-03"));
    EXPECT_EQ(upper.status, 200);
    EXPECT_EQ(parsed(upper).device_id, "dev-03");
}

TEST_F(ProvisioningTest, RegistersAgainWithoutASecondDevice) {
    const auto shown = token(group_.primary_key, "dev-01", "dev-01");
    ASSERT_EQ(register_fully("dev-01", shown).status, 200);
    const auto generation = (*state_->registry.find("dev-01"))->generation;
    ASSERT_EQ(register_fully("dev-01", shown).status, 200);
    EXPECT_EQ((*state_->registry.find("dev-01"))->generation, generation);
    EXPECT_EQ(registrar_.state(claim("dev-01", shown)).status, 200);
}

TEST_F(ProvisioningTest, FailsWithTheCodeItIsTold) {
    const auto shown = token(group_.primary_key, "dev-01", "dev-01");
    const auto first = registrar_.enroll(claim("dev-01", shown), "");
    for (const std::int64_t code : {400'207, 400'208, 400'209}) {
        failure_ = code;
        const auto answer = registrar_.look_up(claim("dev-01", shown), parsed(first).operation_id);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(parsed(answer).status, azure::RegistrationStatus::failed);
        EXPECT_EQ(parsed(answer).error_code, code);
    }
    failure_ = 404'201;
    const auto refused = registrar_.enroll(claim("dev-01", shown), "");
    EXPECT_EQ(refused.status, 404);
    EXPECT_EQ(azure::parse_service_error(refused.body)->code, 404'201);
    EXPECT_FALSE(*state_->registry.find("dev-01"));
    failure_.reset();  // the control
    EXPECT_EQ(register_fully("dev-01", shown).status, 200);
}

TEST_F(ProvisioningTest, RefusesWrongClaims) {
    MITRAL_PROVES("T-TOK-02", "T-TOK-05", "T-KEY-02", "CR 1.2", "CR 1.14");
    const auto good = token(group_.primary_key, "dev-01", "dev-01");
    const auto other_group =
        state_->enrollments.put({.kind = EnrollmentKind::group, .id = "other"}, "");
    const auto stranger = base::to_base64(base::Bytes(32, 7));
    EXPECT_EQ(registrar_.enroll(claim("dev-01", good), "").status, 202);  // the control
    EXPECT_EQ(registrar_.enroll(claim("dev-02", good), "").status, 401);
    EXPECT_EQ(registrar_.enroll(claim("dev-0", good), "").status, 401);
    EXPECT_EQ(registrar_.enroll(claim("dev-01", token(group_.primary_key, "dev-01", "dev-02")), "")
                  .status,
              401);
    EXPECT_EQ(registrar_.enroll(claim("dev-01", token(group_.primary_key, "dev-02", "dev-01")), "")
                  .status,
              401);
    EXPECT_EQ(registrar_.enroll(claim("dev-01", token(stranger, "dev-01", "dev-01")), "").status,
              401);
    EXPECT_EQ(
        registrar_.enroll(claim("dev-01", token_with(group_.primary_key, "dev-01")), "").status,
        401)
        << "the group key itself is no device key";
    EXPECT_EQ(registrar_.enroll(claim("dev-01", ""), "").status, 401);
    const std::string id = "dev-01";  // a Claim only refers to what it names
    auto elsewhere = claim(id, good);
    elsewhere.id_scope = "0ne00000000";
    EXPECT_EQ(registrar_.enroll(elsewhere, "").status, 401);
    clock_.advance(std::chrono::hours(2));
    EXPECT_EQ(registrar_.enroll(claim("dev-01", good), "").status, 401);
}

TEST_F(ProvisioningTest, AnErrorBodyIsOfItsOwnForm) {
    const auto refused = registrar_.enroll(claim("dev-01", ""), "");
    const auto body = azure::parse_service_error(refused.body);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->code, 401002);
    EXPECT_EQ(body->message, "Unauthorized");
}

TEST_F(ProvisioningTest, RefusesStrangeBodiesAndOperations) {
    MITRAL_PROVES("T-SW-03", "CR 3.5");
    const auto shown = token(group_.primary_key, "dev-01", "dev-01");
    EXPECT_EQ(registrar_.enroll(claim("dev-01", shown), R"({"registrationId":"dev-02"})").status,
              400);
    EXPECT_EQ(registrar_.enroll(claim("dev-01", shown), "{").status, 400);
    EXPECT_EQ(registrar_.enroll(claim("dev-01", shown), std::string(10'000, '[')).status, 400);
    EXPECT_EQ(registrar_.look_up(claim("dev-01", shown), "4.none").status, 404);
    (void)registrar_.enroll(claim("dev-01", shown), "");
    EXPECT_EQ(registrar_.look_up(claim("dev-01", shown), "4.guess").status, 404);
    const auto stranger = token(group_.primary_key, "dev-02", "dev-02");
    EXPECT_EQ(registrar_.look_up(claim("dev-01", stranger), "4.guess").status, 401);
}

TEST_F(ProvisioningTest, ADisabledIndividualEntryBeatsTheGroup) {
    MITRAL_PROVES("T-ID-02", "CR 1.13");
    auto entry = *state_->enrollments.put({.kind = EnrollmentKind::individual, .id = "DEV-09"}, "");
    const auto own = token_with(entry.primary_key, "dev-09");
    EXPECT_EQ(registrar_.enroll(claim("dev-09", token(group_.primary_key, "dev-09", "dev-09")), "")
                  .status,
              401);
    EXPECT_EQ(register_fully("dev-09", own).status, 200);
    entry.enabled = false;
    ASSERT_TRUE(state_->enrollments.put(entry, entry.etag));
    const auto disabled = registrar_.enroll(claim("dev-09", own), "");
    EXPECT_EQ(disabled.status, 200);
    EXPECT_EQ(parsed(disabled).status, azure::RegistrationStatus::disabled);
}

TEST_F(ProvisioningTest, TheInitialTwinIsSetWithTheDeviceAndNeverAgain) {
    auto group = group_;
    group.initial_twin = R"({"tags":{"ward":"3"},"properties":{"desired":{"rate":250}}})";
    ASSERT_TRUE(state_->enrollments.put(group, group.etag));
    ASSERT_EQ(register_fully("dev-07", token(group_.primary_key, "dev-07", "dev-07")).status, 200);
    auto twin = *state_->twins.find({"dev-07"});
    EXPECT_EQ(twin.tags, R"({"ward":"3"})");
    EXPECT_EQ(twin.desired.values, R"({"rate":250})");
    ASSERT_TRUE(state_->twins.update({"dev-07"}, {.tags = R"({"ward":"4"})"}, "*"));
    ASSERT_EQ(register_fully("dev-07", token(group_.primary_key, "dev-07", "dev-07")).status, 200);
    EXPECT_EQ(state_->twins.find({"dev-07"})->tags, R"({"ward":"4"})");
}

TEST_F(ProvisioningTest, EnrolmentsRefuseAnInitialTwinThatNoTwinWouldTake) {
    MITRAL_PROVES("CR 3.5");
    for (const auto* bad : {"[]", R"({"tags":1})", R"({"tags":{"$a":1}})",
                            R"({"properties":{"desired":{"a.b":1}}})"}) {
        auto group = group_;
        group.initial_twin = bad;
        EXPECT_EQ(state_->enrollments.put(group, "").error().code, CloudError::invalid_argument)
            << bad;
    }
}

TEST_F(ProvisioningTest, EnrolmentsGuardEtagsKeysAndNumbers) {
    auto group = group_;
    EXPECT_EQ(state_->enrollments.put(group, "old").error().code, CloudError::stale_etag);
    EXPECT_TRUE(state_->enrollments.put(group, group.etag));
    group.primary_key = "short";
    EXPECT_EQ(state_->enrollments.put(group, "").error().code, CloudError::invalid_argument);
    EXPECT_EQ(state_->enrollments.put({.id = "no space"}, "").error().code,
              CloudError::invalid_argument);
    for (std::size_t i = 1; i < Enrollments::max_groups; ++i)
        ASSERT_TRUE(state_->enrollments.put({.id = "g-" + std::to_string(i)}, ""));
    EXPECT_FALSE(state_->enrollments.put({.id = "g-last"}, ""));
    EXPECT_TRUE(state_->enrollments.remove(EnrollmentKind::group, "g-1", ""));
    EXPECT_EQ(state_->enrollments.remove(EnrollmentKind::group, "g-1", "").error().code,
              CloudError::not_found);
}

TEST_F(ProvisioningTest, MigratesToAnotherHub) {
    EXPECT_EQ(register_again(true, true).substatus, "initialAssignment");
    ASSERT_TRUE(state_->twins.update({"dev-07"}, {.tags = R"({"ward":"4"})"}, "*"));
    const auto generation = (*state_->registry.find("dev-07"))->generation;
    other_hub_ = "other.mitral.test";
    const auto moved = register_again(true, true);
    EXPECT_EQ(moved.substatus, "deviceDataMigrated");
    EXPECT_EQ(moved.assigned_hub, "other.mitral.test");
    EXPECT_EQ(state_->twins.find({"dev-07"})->tags, R"({"ward":"4"})");
    EXPECT_EQ((*state_->registry.find("dev-07"))->generation, generation);
    EXPECT_TRUE(resets_.empty());
}

TEST_F(ProvisioningTest, ResetsTheDeviceToItsInitialTwin) {
    group_.initial_twin = R"({"tags":{"ward":"3"}})";
    group_.edge = true;
    ASSERT_EQ(register_again(true, false).substatus, "initialAssignment");
    EXPECT_TRUE((*state_->registry.find("dev-07"))->edge);
    ASSERT_TRUE(state_->twins.update({"dev-07"}, {.tags = R"({"ward":"4"})"}, "*"));
    const auto generation = (*state_->registry.find("dev-07"))->generation;
    EXPECT_EQ(register_again(true, false).substatus, "deviceDataReset");
    EXPECT_EQ(state_->twins.find({"dev-07"})->tags, R"({"ward":"3"})");
    EXPECT_NE((*state_->registry.find("dev-07"))->generation, generation);
    EXPECT_EQ(resets_, std::vector<std::string>{"dev-07"});
}

TEST_F(ProvisioningTest, NeverMovesWhomItsEnrolmentKeeps) {
    ASSERT_EQ(register_again(false, false).substatus, "initialAssignment");
    ASSERT_TRUE(state_->twins.update({"dev-07"}, {.tags = R"({"ward":"4"})"}, "*"));
    other_hub_ = "other.mitral.test";
    for (const bool migrates : {false, true}) {
        const auto again = register_again(false, migrates);
        EXPECT_EQ(again.substatus, "initialAssignment");
        EXPECT_EQ(again.assigned_hub, "hub.mitral.test:8883");
        EXPECT_EQ(state_->twins.find({"dev-07"})->tags, R"({"ward":"4"})");
    }
    EXPECT_EQ(register_again(true, true).assigned_hub, "other.mitral.test");  // the control
}

TEST_F(ProvisioningTest, TellsWhoWasKnownToTheHubButNotToIt) {
    ASSERT_TRUE(state_->registry.create({.id = "dev-07"}));
    EXPECT_EQ(register_again(true, true).substatus, "reprovisionedToInitialAssignment");
    ASSERT_TRUE(state_->registrations.remove("DEV-07", ""));
    EXPECT_EQ(register_again(true, false).substatus, "reprovisionedToInitialAssignment");
    EXPECT_TRUE(resets_.empty());
}

TEST_F(ProvisioningTest, AllocatesAmongTheHubsOfTheEnrolment) {
    group_.hubs = {"a.mitral.test", "b.mitral.test", "c.mitral.test"};
    const auto hashed = register_again(true, true).assigned_hub;
    EXPECT_NE(std::find(group_.hubs.begin(), group_.hubs.end(), hashed), group_.hubs.end());
    EXPECT_EQ(register_again(true, true).assigned_hub, hashed);
    group_.allocation = "static";
    EXPECT_EQ(register_again(true, true).assigned_hub, "a.mitral.test");
    for (const auto& [allocation, hub] :
         {std::pair{"any", "a.mitral.test"}, {"static", ""}, {"static", "a,b"}}) {
        auto bad = group_;
        bad.allocation = allocation;
        bad.hubs = {hub};
        EXPECT_EQ(state_->enrollments.put(bad, "*").error().code, CloudError::invalid_argument);
    }
    auto custom = group_;
    custom.allocation = "custom";
    EXPECT_EQ(state_->enrollments.put(custom, "*").error().code, CloudError::not_supported);
}

TEST_F(ProvisioningTest, RegistrationsGoWithTheirEnrolment) {
    ASSERT_EQ(register_again(true, true).status, azure::RegistrationStatus::assigned);
    const auto entry =
        *state_->enrollments.put({.kind = EnrollmentKind::individual, .id = "dev-08"}, "");
    ASSERT_EQ(register_fully("dev-08", token_with(entry.primary_key, "dev-08")).status, 200);
    EXPECT_EQ(state_->registrations.page("fleet", "", 10)->size(), 1U);
    EXPECT_EQ(state_->registrations.remove("dev-08", "old").error().code, CloudError::stale_etag);
    ASSERT_TRUE(state_->enrollments.remove(EnrollmentKind::group, "fleet", "*"));
    EXPECT_FALSE(*state_->registrations.find("dev-07"));
    EXPECT_TRUE(*state_->registrations.find("dev-08"));
    EXPECT_EQ(state_->enrollments.remove(EnrollmentKind::individual, "dev-08", "old").error().code,
              CloudError::stale_etag);
    ASSERT_TRUE(state_->enrollments.remove(EnrollmentKind::individual, "dev-08", entry.etag));
    EXPECT_FALSE(*state_->registrations.find("dev-08"));
    EXPECT_TRUE(*state_->registry.find("dev-08"));
}

}  // namespace
}  // namespace mitral::cloud::dps
