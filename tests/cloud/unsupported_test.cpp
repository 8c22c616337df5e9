#include "cloud/api/unsupported.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "cloud/api_stand.hpp"

namespace mitral::cloud::api {
namespace {

// The rows of the table below "## What it does not do" in docs/local-azure.md.
std::vector<std::string> documented() {
    std::ifstream file(std::string(MITRAL_SOURCE_DIR) + "/docs/local-azure.md");
    std::vector<std::string> rows;
    bool inside = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## "))
            inside = line == "## What it does not do yet";
        else if (inside && line.starts_with("| "))
            rows.push_back(line);
    }
    return rows;
}

http::Method method_of(std::string_view call) {
    const auto word = call.substr(0, call.find(' '));
    if (word == "GET")
        return http::Method::get;
    if (word == "PUT")
        return http::Method::put;
    if (word == "POST")
        return http::Method::post;
    return word == "PATCH" ? http::Method::patch : http::Method::remove;
}

TEST(Unsupported, IsTheTableOfTheDocumentation) {
    std::vector<std::string> expected{"| Call | Name | Why |"};
    for (const auto& entry : unsupported_calls())
        expected.push_back("| `" + std::string(entry.call) + "` | " + std::string(entry.name) +
                           " | " + std::string(entry.reason) + " |");
    EXPECT_EQ(documented(), expected);
}

TEST(Unsupported, AnswersWithTheNameAndLeavesTheRestAlone) {
    http::Router router;
    mount_unsupported(router);
    std::size_t paths = 0;
    for (const auto& entry : unsupported_calls()) {
        const auto at = entry.call.find(" /");
        if (at == std::string_view::npos)
            continue;
        ++paths;
        http::Request request;
        request.method = method_of(entry.call);
        request.path = entry.call.substr(at + 1);
        const auto answer = router.route(request);
        EXPECT_EQ(answer.status, 501U) << entry.call;
        EXPECT_NE(answer.body.find(entry.name), std::string::npos) << answer.body;
    }
    EXPECT_GT(paths, 10U);
    http::Request unknown;
    unknown.method = http::Method::get;
    for (const auto* path : {"/", "/twin/x", "/devices/x/nothing", "/jobs/v2/a/b"}) {
        unknown.path = path;
        EXPECT_EQ(router.route(unknown).status, 404U) << path;
    }
}

struct Ask {
    http::Method method;
    std::string path;
    std::string body;
    std::string_view name;  // of what is not supported
};

http::Response answer_to(const test::ApiStand& stand, const Ask& ask) {
    http::Request request;
    request.method = ask.method;
    request.path = ask.path;
    request.body = ask.body;
    if (ask.path.starts_with("/enrollment"))
        request.authorization = stand.token(hub::dps_service, "provisioningserviceowner");
    else if (ask.path.starts_with("/deviceUpdate"))
        request.authorization = stand.token(hub::update_service, "deviceUpdate");
    else if (!ask.path.ends_with("/register"))
        request.authorization = stand.token(hub::hub_service, "iothubowner");
    return stand.router().route(request);
}

TEST(Unsupported, BodiesThatAskForItAreAnsweredWithANameOfTheTable) {
    const test::ApiStand stand;
    std::set<std::string_view> names;
    for (const auto& entry : unsupported_calls())
        names.insert(entry.name);
    using http::Method;
    const std::string keys = R"("attestation":{"type":"symmetricKey"})";
    const auto query = [](const std::string& text) { return R"({"query":")" + text + "\"}"; };
    const std::vector<Ask> asks{
        {Method::put, "/enrollments/a", R"({"attestation":{"type":"tpm","tpm":{}}})",
         "TPM attestation"},
        {Method::put, "/" + stand.scope() + "/registrations/a/register",
         R"({"registrationId":"a","tpm":{"endorsementKey":"eA=="}})", "TPM attestation"},
        {Method::put, "/enrollmentGroups/a", "{" + keys + R"(,"allocationPolicy":"custom"})",
         "Custom allocation policy"},
        {Method::put, "/enrollments/a", "{" + keys + R"(,"optionalDeviceInformation":{"a":1}})",
         "Optional device information"},
        {Method::put, "/deviceUpdate/default/management/groups/a/deployments/b",
         R"({"update":{"updateId":{}},"rollbackPolicy":{"update":{}}})",
         "Device Update: cloud-initiated rollback"},
        {Method::put, "/devices/a", R"({"authentication":{"type":"none"}})",
         "Authentication of type none"},
        {Method::put, "/devices/a/modules/m", R"({"authentication":{"type":"none"}})",
         "Authentication of type none"},
        {Method::put, "/devices/a", R"({"deviceScope":"ms-azure-iot-edge://a"})",
         "Parent and child devices"},
        {Method::put, "/devices/a", R"({"parentScopes":["a"]})", "Parent and child devices"},
        {Method::post, "/devices/query", query("SELECT * FROM devices.jobs"),
         "Query of devices.jobs"},
        {Method::post, "/devices/query", query("SELECT * FROM devices WHERE tags.a * 2 = 4"),
         "Arithmetic in queries"},
        {Method::post, "/devices/query", query("SELECT * FROM devices WHERE tags.a + 2 = 4"),
         "Arithmetic in queries"}};
    for (const auto& ask : asks) {
        const auto answer = answer_to(stand, ask);
        EXPECT_EQ(answer.status, 501U) << ask.path << answer.body;
        EXPECT_NE(answer.body.find(ask.name), std::string::npos) << answer.body;
        EXPECT_TRUE(names.contains(ask.name)) << ask.name;
    }
    const auto bulk = answer_to(
        stand,
        {Method::post, "/devices", R"([{"id":"a","moduleId":"m","importMode":"create"}])", {}});
    EXPECT_NE(bulk.body.find("NotImplemented"), std::string::npos) << bulk.body;
    EXPECT_NE(bulk.body.find("Modules in bulk"), std::string::npos) << bulk.body;
    EXPECT_TRUE(names.contains("Modules in bulk"));
}

TEST(Unsupported, ControlTheSameBodiesWithoutItAreServed) {
    const test::ApiStand stand;
    using http::Method;
    for (const auto& ask : std::vector<Ask>{
             {Method::put,
              "/enrollments/a",
              R"({"attestation":{"type":"symmetricKey"},"allocationPolicy":"hashed",
                  "optionalDeviceInformation":{}})",
              {}},
             {Method::put,
              "/devices/a",
              R"({"authentication":{"type":"sas"},"deviceScope":"","parentScopes":[]})",
              {}},
             {Method::put, "/devices/a/modules/m", R"({"authentication":{"type":"sas"}})", {}},
             {Method::post,
              "/devices/query",
              R"({"query":"SELECT * FROM devices WHERE tags.a = -4"})",
              {}}}) {
        const auto answer = answer_to(stand, ask);
        EXPECT_EQ(answer.status, 200U) << ask.path << answer.body;
    }
}

}  // namespace
}  // namespace mitral::cloud::api
