#include <gtest/gtest.h>

#include "cloud/error.hpp"
#include "cloud/http/parser.hpp"
#include "cloud/http/router.hpp"
#include "support/proves.hpp"

namespace mitral::cloud::http {
namespace {

// Feeds a text in pieces of `step` bytes; collects the requests.
base::Result<std::vector<Request>> parse(std::string_view text, std::size_t step = 4096) {
    RequestParser parser;
    std::vector<Request> requests;
    std::string kept;
    while (!text.empty()) {
        kept.append(text.substr(0, step));
        text.remove_prefix(std::min(step, text.size()));
        for (std::size_t taken = 1; taken > 0 && !kept.empty();) {
            MITRAL_TRY(auto request, parser.take(base::as_bytes(kept), taken));
            kept.erase(0, taken);
            if (request)
                requests.push_back(*std::move(request));
        }
    }
    return requests;
}

constexpr std::string_view two =
    "PUT /devices/a%20b?api-version=2021-04-12&x=1%2B1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
    "If-Match: \"*\"\r\nAuthorization: SharedAccessSignature sr=x\r\n\r\n{}"
    "GET /log HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST(RequestParser, ReadsRequestsCutAnywhere) {
    for (const std::size_t step : {1U, 2U, 7U, 50U, 4096U}) {
        const auto requests = parse(two, step);
        ASSERT_TRUE(requests) << step;
        ASSERT_EQ(requests->size(), 2U) << step;
        const auto& put = requests->front();
        EXPECT_EQ(put.method, Method::put);
        EXPECT_EQ(put.path, "/devices/a%20b");
        EXPECT_EQ(put.parameter("x"), "1+1");
        EXPECT_EQ(put.if_match, "\"*\"");
        EXPECT_EQ(put.authorization, "SharedAccessSignature sr=x");
        EXPECT_EQ(put.body, "{}");
        EXPECT_TRUE(put.keep_alive);
        EXPECT_FALSE(requests->back().keep_alive);
    }
}

TEST(RequestParser, ReadsChunkedBodies) {
    const auto requests = parse(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        3);
    ASSERT_TRUE(requests);
    ASSERT_EQ(requests->size(), 1U);
    EXPECT_EQ(requests->front().body, "abcde");
}

TEST(RequestParser, TakesAnEmptyChunkedBodyByteByByte) {
    MITRAL_PROVES("T-SW-03");  // the parser library asserts here, see http/parser.cpp
    const auto requests =
        parse("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1);
    ASSERT_TRUE(requests);
    EXPECT_EQ(requests->size(), 1U);
}

TEST(RequestParser, RefusesGarbageAndFloods) {
    MITRAL_PROVES("T-SW-03", "T-DOS-04", "CR 3.5", "CR 7.1");
    for (const auto* text :
         {"\r\n\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
          "GET / HTTP/1.1\r\nNo colon\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: 5x\r\n\r\n",
          "PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"})
        EXPECT_FALSE(parse(text)) << text;
    EXPECT_FALSE(parse("GET /" + std::string(40'000, 'a') + " HTTP/1.1\r\n\r\n"));
    EXPECT_FALSE(parse("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'a')));
    const auto large = parse("PUT / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\nx");
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, CloudError::too_large);
    EXPECT_FALSE(parse("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\nabc"));
}

TEST(RequestParser, JoinsTheHeadersOfAnUpgradeAndTakesTheLastOfOthers) {
    const auto requests = parse(
        "GET / HTTP/1.0\r\nHost: h\r\nSec-WebSocket-Protocol: a\r\nX: 1\r\n"
        "sec-websocket-protocol: mqtt, b\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
        "X: 2\r\n\r\n");
    ASSERT_TRUE(requests);
    ASSERT_EQ(requests->size(), 1U);
    const auto& request = requests->front();
    EXPECT_EQ(request.header("sec-websocket-protocol"), "a, mqtt, b");
    EXPECT_EQ(request.header("connection"), "keep-alive, Upgrade");
    EXPECT_EQ(request.header("x"), "2");
    EXPECT_EQ(request.version, 10U);
}

TEST(RequestParser, RefusesTwoFramings) {
    MITRAL_PROVES("T-SW-03", "CR 3.5");  // request smuggling
    EXPECT_FALSE(parse(
        "PUT / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    EXPECT_FALSE(parse("PUT / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"));
}

TEST(Query, DecodesAndBounds) {
    const auto query = parse_query("a=1&b&c=%20+x&%zz=2&=3&a=last");
    EXPECT_EQ(query.at("a"), "last");
    EXPECT_EQ(query.at("b"), "");
    EXPECT_EQ(query.at("c"), "  x");
    EXPECT_EQ(query.size(), 3U);
    std::string flood;
    for (int i = 0; i < 1000; ++i)
        flood += "k" + std::to_string(i) + "=v&";
    EXPECT_LE(parse_query(flood).size(), 64U);
}

Request request(Method method, std::string path) {
    Request made;
    made.method = method;
    made.path = std::move(path);
    return made;
}

TEST(Router, FindsByMethodAndPath) {
    Router router;
    router.add(Method::get, "/devices/{id}", [](const Request&, const Captures& at) {
        Response response;
        response.body = at[0];
        return response;
    });
    router.add(Method::get, "/enrollmentGroups/{id}/keys",
               [](const Request&, const Captures&) { return Response{}; });
    EXPECT_EQ(router.route(request(Method::get, "/devices/a%2Fb/")).body, "a/b");
    EXPECT_EQ(router.route(request(Method::get, "//devices/x")).body, "x");
    EXPECT_EQ(router.route(request(Method::get, "/enrollmentgroups/g/KEYS")).status, 200U);
    EXPECT_EQ(router.route(request(Method::put, "/devices/x")).status, 405U);
    EXPECT_EQ(router.route(request(Method::get, "/devices")).status, 404U);
    router.add(Method::get, "/updates/...",
               [](const Request&, const Captures&) { return Response{}; });
    EXPECT_EQ(router.route(request(Method::get, "/updates/a/b/c")).status, 200U);
    EXPECT_EQ(router.route(request(Method::get, "/updates")).status, 404U);
    EXPECT_EQ(router.route(request(Method::get, "/devices/%zz")).status, 404U);
    EXPECT_EQ(router.route(request(Method::get, std::string(10'000, '/'))).status, 404U);
}

}  // namespace
}  // namespace mitral::cloud::http
