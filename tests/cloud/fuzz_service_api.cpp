// Every call of the HTTPS port with the rights to do it: whatever the names, parameters and the
// body are, the answer is the caller's fault or it is done. One input:
//   number of the call, etag (a byte each), names with spaces between, "?" parameters, "\n", body
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/bytes.hpp"
#include "cloud/api_stand.hpp"
#include "cloud/http/parser.hpp"

namespace {

using namespace mitral::cloud;

constexpr unsigned calls_of_one_state = 500;
constexpr std::size_t most_sent = 4U << 20U;

std::string_view take_until(std::string_view& text, char end) {
    const auto taken = text.substr(0, text.find(end));
    text.remove_prefix(std::min(taken.size() + 1, text.size()));
    return taken;
}

std::string fill(std::string_view pattern, std::string_view names, const std::string& scope) {
    std::string path;
    while (!pattern.empty()) {
        const auto segment = take_until(pattern, '/');
        if (segment.empty())
            continue;
        path += "/";
        if (segment == "{scope}")
            path += scope;
        else if (segment == "{instance}")
            path += mitral::cloud::adu::instance_name;
        else if (!segment.starts_with('{') && segment != "...")
            path += segment;
        else if (const auto name = take_until(names, ' '); name.empty())
            path += "d";
        else
            path += name;
    }
    return path;
}

std::string token_for(const test::ApiStand& stand, std::string_view pattern) {
    if (pattern.starts_with("/enrollment") || pattern.starts_with("/registrations"))
        return stand.token(hub::dps_service, "provisioningserviceowner");
    if (pattern.starts_with("/deviceUpdate"))
        return stand.token(hub::update_service, "deviceUpdate");
    return stand.token(hub::hub_service, "iothubowner");
}

http::Request read_request(const test::ApiStand& stand, const http::Router::Call& call,
                           unsigned char etag, std::string_view text) {
    http::Request request;
    auto head = take_until(text, '\n');
    const auto names = take_until(head, '?');
    request.method = call.method;
    request.path = fill(call.pattern, names, stand.scope());
    request.query = http::parse_query(head);
    request.query.try_emplace("api-version", "2021-04-12");
    request.authorization = token_for(stand, call.pattern);
    request.body = std::string(text);
    request.headers["content-type"] = "application/json";
    if (etag % 3 != 0)
        request.if_match = etag % 3 == 1 ? "*" : "\"AAAAAAAAAAE=\"";
    if (!request.if_match.empty())
        request.headers["if-match"] = request.if_match;
    return request;
}

void judge(const http::Router::Call& call, http::Response response) {
    std::size_t sent = response.body.size();
    for (unsigned i = 0; response.source && i < 64; ++i) {
        const auto piece = response.source->next(64U << 10U);
        if (!piece || piece->state != http::BodySource::State::more)
            break;
        sent += piece->data.size();
    }
    const bool told =
        response.status == 501 && response.body.find("is not supported") != std::string::npos;
    if ((told || (response.status >= 200 && response.status < 500)) && sent <= most_sent)
        return;
    std::fprintf(stderr, "%s: %u, %zu bytes\n%s\n", call.pattern.c_str(), response.status, sent,
                 response.body.substr(0, 500).c_str());
    std::abort();
}

void begin_anew(std::optional<test::ApiStand>& stand) {
    stand.emplace();
    for (const auto& call : stand->router().calls())
        if (call.method == http::Method::put && call.pattern == "/devices/{id}")
            judge(call,
                  stand->router().route(read_request(*stand, call, 0, "d\n{\"deviceId\":\"d\"}")));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::optional<test::ApiStand> stand;
    static unsigned used = 0;
    if (size < 2)
        return 0;
    if (!stand || ++used % calls_of_one_state == 0)
        begin_anew(stand);
    const auto calls = stand->router().calls();
    const auto& call = calls[data[0] % calls.size()];
    const auto text = mitral::base::as_text({data + 2, size - 2});
    judge(call, stand->router().route(read_request(*stand, call, data[1], text)));
    stand->turn();
    return 0;
}
