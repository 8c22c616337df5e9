#include "cloud/api/unsupported.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

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

}  // namespace
}  // namespace mitral::cloud::api
