// Bodies, headers and parameters of the service API and the admin port: what is read is bounded,
// and what was read can be shown and read again.
#include <cstdlib>

#include "cloud/api/authentication_body.hpp"
#include "cloud/api/device_body.hpp"
#include "cloud/api/device_update_calls.hpp"
#include "cloud/api/update_files_api.hpp"
#include "cloud/faults/script.hpp"
#include "cloud/http/parser.hpp"
#include "cloud/json.hpp"
#include "cloud/query/continuation.hpp"
#include "cloud/websocket/handshake.hpp"

namespace {

using namespace mitral::cloud;

void require(bool condition) {
    if (!condition)
        std::abort();
}

void read_bodies(std::string_view text) {
    const auto body = parse_json(text);
    if (!body)
        return;
    (void)api::read_device(*body, "dev-01");
    if (const auto proof = api::read_authentication(*body)) {
        const Json shown{{"authentication", api::authentication_json(*proof)}};
        const auto again = api::read_authentication(shown);
        require(again && again->type == proof->type);
    }
    (void)api::read_update_id(*body);
}

void read_place(std::string_view text) {
    const auto place = query::decode(text, "SELECT * FROM devices");
    if (!place || text.empty())
        return;
    const auto again =
        query::decode(query::encode(*place, "SELECT * FROM devices"), "SELECT * FROM devices");
    require(!again || (again->device == place->device && again->given == place->given));
}

void read_part(std::string_view text) {
    for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}}) {
        api::ByteRange range;
        if (api::read_range(text, total, range) == api::RangeKind::part)
            require(range.size > 0 && range.first < total && range.size <= total - range.first);
    }
}

void read_parameters(const std::string& text) {
    http::Request request;
    request.method = http::Method::get;
    request.path = "/$iothub/websocket";
    request.query = http::parse_query(text);
    request.query["filter"] = text;
    (void)api::read_filter(request, {"isDeployable", "groupId"});
    for (const auto* name : {"host", "upgrade", "connection", "sec-websocket-key",
                             "sec-websocket-version", "sec-websocket-protocol"})
        request.headers[name] = text;
    require(websocket::answer_handshake(request, "mqtt").status != 101);
    request.headers = {{"host", "h"},
                       {"upgrade", "websocket"},
                       {"connection", "upgrade"},
                       {"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="},
                       {"sec-websocket-version", "13"},
                       {"sec-websocket-protocol", text}};
    (void)websocket::answer_handshake(request, "mqtt");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(mitral::base::as_text({data, size}));
    read_bodies(text);
    read_place(text);
    read_part(text);
    read_parameters(text);
    if (const auto steps = faults::read_script(text))
        require(!steps->empty() && steps->size() <= faults::most_steps);
    return 0;
}
