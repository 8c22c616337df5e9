#include "azure/dps.hpp"

#include <gtest/gtest.h>

#include "azure/errors.hpp"
#include "support/proves.hpp"

namespace mitral::azure {
namespace {

constexpr std::string_view assigned =
    R"({"operationId":"4.abc.def","status":"assigned","registrationState":{"x509":{},"registrationId":"dev-01",)"
    R"("createdDateTimeUtc":"2026-01-01T00:00:00.1Z","assignedHub":"Hub.Local","deviceId":"dev-01",)"
    R"("status":"assigned","substatus":"initialAssignment",)"
    R"("lastUpdatedDateTimeUtc":"2026-01-01T00:00:01.2Z","etag":"IjAwMDAi"}})";

TEST(Dps, PathsEncodeTheirNames) {
    EXPECT_EQ("/0ne000A0A0A/registrations/dev-01/register?api-version=2021-06-01",
              dps_register_path("0ne000A0A0A", "dev-01"));
    EXPECT_EQ("/s/registrations/a%3Ab/operations/4.%2Fx%3F?api-version=2021-06-01",
              dps_operation_path("s", "a:b", "4./x?"));
}

TEST(Dps, RequestBodies) {
    EXPECT_EQ(R"({"registrationId":"dev-01"})", register_request_json({"dev-01", "", ""}));
    EXPECT_EQ(R"({"payload":{"modelId":"x"},"registrationId":"dev-01"})",
              register_request_json({"dev-01", R"({"modelId":"x"})", ""}));
    const auto request =
        parse_register_request(R"({"registrationId":"dev-01","payload":{"modelId":"x"}})");
    ASSERT_TRUE(request);
    EXPECT_EQ("dev-01", request->registration_id);
    EXPECT_EQ(R"({"modelId":"x"})", request->payload);
    EXPECT_TRUE(parse_register_request(" "));
    EXPECT_TRUE(parse_register_request(""));
    EXPECT_FALSE(parse_register_request("[]"));
    EXPECT_FALSE(parse_register_request(R"({"registrationId":7})"));
}

TEST(Dps, ReadsEveryState) {
    const auto wait =
        parse_registration_answer(R"({"operationId":"4.abc.def","status":"assigning"})");
    ASSERT_TRUE(wait);
    EXPECT_EQ(RegistrationStatus::assigning, wait->status);
    EXPECT_EQ("4.abc.def", wait->operation_id);

    const auto done = parse_registration_answer(assigned);
    ASSERT_TRUE(done);
    EXPECT_EQ(RegistrationStatus::assigned, done->status);
    EXPECT_EQ("hub.local", done->assigned_hub);
    EXPECT_EQ("dev-01", done->device_id);
    EXPECT_EQ("initialAssignment", done->substatus);
    EXPECT_EQ("x509", done->attestation);

    const auto failed = parse_registration_answer(
        R"({"operationId":"4.a","status":"failed","registrationState":{"registrationId":"dev-01",)"
        R"("status":"failed","errorCode":400207,"errorMessage":"Custom allocation failed"}})");
    ASSERT_TRUE(failed);
    EXPECT_EQ(400207, failed->error_code);
    EXPECT_EQ("Custom allocation failed", failed->error_message);

    for (const auto* word : {"disabled", "blacklisted", "Disabled"}) {
        const auto off =
            parse_registration_answer(std::string(R"({"operationId":"","status":")") + word +
                                      R"(","registrationState":{"registrationId":"d"}})");
        ASSERT_TRUE(off) << word;
        EXPECT_EQ(RegistrationStatus::disabled, off->status);
    }
}

TEST(Dps, RefusesHostileAnswers) {
    MITRAL_PROVES("T-SW-03");
    for (
        const auto* text :
        {"",
         "null",
         "[]",
         "1",
         "{",
         "\"assigned\"",
         "{}",
         R"({"status":1})",
         R"({"status":"great"})",
         R"({"status":"assigning"})",
         R"({"status":"assigning","operationId":5})",
         R"({"status":"assigned"})",
         R"({"status":"assigned","registrationState":[]})",
         R"({"status":"assigned","registrationState":{"assignedHub":"h"}})",
         R"({"status":"assigned","registrationState":{"deviceId":"d"}})",
         R"({"status":"assigned","registrationState":{"assignedHub":["h"],"deviceId":"d"}})",
         R"({"status":"assigned","registrationState":{"assignedHub":"h/../x","deviceId":"d"}})",
         R"({"status":"assigned","registrationState":{"assignedHub":"h\r\nHost: x","deviceId":"d"}})",
         R"({"status":"assigned","registrationState":{"assignedHub":"h","deviceId":"d/#"}})",
         R"({"status":"failed","registrationState":{"errorCode":"x"}})",
         R"({"status":"failed","registrationState":{"errorCode":1e400}})",
         R"({"status":"failed","registrationState":{"errorCode":18446744073709551615}})",
         "{\"status\":\"assigning\",\"operationId\":\"\xff\"}"}) {
        const auto answer = parse_registration_answer(text);
        ASSERT_FALSE(answer) << text;
        EXPECT_EQ(AzureError::malformed_answer, answer.error().code) << text;
    }
    for (std::size_t size = 0; size < assigned.size(); ++size)
        EXPECT_FALSE(parse_registration_answer(assigned.substr(0, size))) << size;
}

TEST(Dps, BoundsDepthAndSizeBeforeParsing) {
    MITRAL_PROVES("T-SW-03");
    const std::string deep(30'000, '[');
    EXPECT_EQ(AzureError::too_large,
              parse_registration_answer(R"({"payload":)" + deep).error().code);
    const std::string objects = [] {
        std::string text;
        for (int i = 0; i < 5000; ++i)
            text += R"({"a":)";
        return text;
    }();
    EXPECT_EQ(AzureError::too_large, parse_registration_answer(objects).error().code);
    EXPECT_EQ(AzureError::too_large,
              parse_registration_answer(std::string(max_dps_body + 1, ' ')).error().code);
    EXPECT_EQ(AzureError::malformed_answer,
              parse_registration_answer(R"({"operationId":")" + std::string(600, 'a') +
                                        R"(","status":"assigning"})")
                  .error()
                  .code);
    // Brackets inside a text are not nesting.
    EXPECT_TRUE(parse_registration_answer(
        R"({"operationId":"[[[[[[[[[[[[[[[[[[[[\"[[","status":"assigning"})"));
}

TEST(Dps, NeverEchoesHostileTextUnescaped) {
    MITRAL_PROVES("T-LOG-01");
    const auto answer = parse_registration_answer("{\"status\":\"x\\u001b[2J\\nlevel=info\"}");
    ASSERT_FALSE(answer);
    EXPECT_EQ(std::string::npos, answer.error().message().find('\x1b'));
    EXPECT_EQ(std::string::npos, answer.error().message().find('\n'));
}

TEST(Dps, WhatTheLocalAzureWritesTheGatewayReads) {
    RegistrationAnswer answer;
    answer.operation_id = "4.abc";
    answer.status = RegistrationStatus::assigned;
    answer.registration_id = "dev-01";
    answer.assigned_hub = "localhost:38883";
    answer.device_id = "dev-01";
    answer.substatus = "initialAssignment";
    answer.attestation = "symmetricKey";
    answer.created = "2026-01-01T00:00:00.1Z";
    answer.last_updated = answer.created;
    answer.etag = "IjAwMDAi";
    answer.payload = R"({"ward":"7"})";
    const auto text = registration_answer_json(answer);
    const auto read = parse_registration_answer(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(text, registration_answer_json(*read));
    EXPECT_EQ("localhost:38883", read->assigned_hub);
    EXPECT_EQ(R"({"ward":"7"})", read->payload);
    EXPECT_NE(std::string::npos, text.find(R"("symmetricKey":{})"));

    RegistrationAnswer wait;
    wait.operation_id = "4.abc";
    wait.status = RegistrationStatus::assigning;
    EXPECT_EQ(R"({"operationId":"4.abc","status":"assigning"})", registration_answer_json(wait));
}

TEST(Dps, ServiceErrors) {
    const ServiceError error{401002, "t-1", "Unauthorized", "2026-01-01T00:00:00Z"};
    const auto read = parse_service_error(service_error_json(error));
    ASSERT_TRUE(read);
    EXPECT_EQ(401002, read->code);
    EXPECT_EQ("Unauthorized", read->message);
    EXPECT_FALSE(parse_service_error("{}"));
    EXPECT_FALSE(parse_service_error(R"({"errorCode":"x"})"));
    EXPECT_FALSE(parse_service_error("<html>"));
}

TEST(Dps, RetryAfterIsClamped) {
    MITRAL_PROVES("T-DOS-03", "T-SW-03");
    EXPECT_EQ(3, retry_after("3").count());
    EXPECT_EQ(2, retry_after(std::nullopt).count());
    EXPECT_EQ(2, retry_after("soon").count());
    EXPECT_EQ(2, retry_after("").count());
    EXPECT_EQ(2, retry_after("3s").count());
    EXPECT_EQ(1, retry_after("0").count());
    EXPECT_EQ(1, retry_after("-5").count());
    EXPECT_EQ(300, retry_after("301").count());
    EXPECT_EQ(300, retry_after("99999999999999999999").count());
    EXPECT_EQ(1, retry_after("-99999999999999999999").count());
}

TEST(DpsMqtt, Usernames) {
    const auto node = parse_dps_username(
        "0ne000A0A0A/registrations/dev-01/"
        "api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2F1.9.1");
    ASSERT_TRUE(node);
    EXPECT_EQ("0ne000A0A0A", node->id_scope);
    EXPECT_EQ("dev-01", node->registration_id);
    EXPECT_EQ("2019-03-31", node->api_version);
    EXPECT_EQ("azure-iot-provisioning-device/1.9.1", node->client_version);
    EXPECT_TRUE(parse_dps_username("s/registrations/d/?api-version=1"));
    EXPECT_TRUE(is_dps_username("s/registrations/d/api-version=1"));
    EXPECT_FALSE(is_dps_username("hub.local/dev-01/?api-version=1"));
    for (const auto* bad : {"", "s/registrations/", "s/registrations/d", "s/registrations/d/x=1",
                            "/registrations/d/api-version=1", "s/registrations/d+e/api-version=1"})
        EXPECT_FALSE(parse_dps_username(bad)) << bad;
}

TEST(DpsMqtt, Topics) {
    const auto put = parse_dps_topic("$dps/registrations/PUT/iotdps-register/?$rid=a-1");
    ASSERT_TRUE(put);
    EXPECT_EQ(DpsTopic::Kind::enroll, put->kind);
    EXPECT_EQ("a-1", put->request_id);
    const auto get = parse_dps_topic(
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=%31&operationId=4.abc%2Fdef");
    ASSERT_TRUE(get);
    EXPECT_EQ("%31", get->request_id);
    EXPECT_EQ("4.abc/def", get->operation_id);
    for (const auto* bad : {"", "$dps/registrations/PUT/iotdps-register/",
                            "$dps/registrations/PUT/iotdps-register/?x=1",
                            "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1",
                            "devices/d/messages/events/"})
        EXPECT_FALSE(parse_dps_topic(bad)) << bad;
    EXPECT_EQ("$dps/registrations/res/202/?$rid=a-1&retry-after=3",
              dps_answer_topic(202, "a-1", base::Seconds(3)));
    EXPECT_EQ("$dps/registrations/res/401/?$rid=a-1", dps_answer_topic(401, "a-1", std::nullopt));
}

}  // namespace
}  // namespace mitral::azure
