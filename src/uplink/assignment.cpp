#include "uplink/assignment.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "azure/ids.hpp"
#include "base/file.hpp"
#include "net/connect.hpp"
#include "uplink/error.hpp"

namespace mitral::uplink {
namespace {

std::unexpected<base::Error> malformed(std::string_view what) {
    return base::fail(UplinkError::malformed_assignment,
                      fmt::format("{}; run mitral-enrol again", what));
}

const std::string* text_at(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

base::Result<Assignment> parse_assignment(std::string_view json, std::uint16_t hub_port) {
    if (json.size() > max_assignment_size)
        return malformed("more than 8 KiB");
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (!document.is_object())
        return malformed("not a JSON object");
    const std::string* hub = text_at(document, "hub");
    const std::string* device_id = text_at(document, "device_id");
    if (hub == nullptr || device_id == nullptr)
        return malformed("hub or device_id is missing");
    if (const auto fine = azure::check_host(*hub); !fine)
        return malformed(fine.error().message());
    if (const auto fine = azure::check_device_id(*device_id); !fine)
        return malformed(fine.error().message());
    const auto endpoint = net::parse_endpoint(*hub, hub_port);
    if (!endpoint)
        return malformed(endpoint.error().message());
    if (endpoint->port != hub_port)
        return base::fail(
            UplinkError::malformed_assignment,
            fmt::format("the hub is at port {} but [uplink] hub_port is {}; if that is meant, set "
                        "hub_port = {}",
                        endpoint->port, hub_port, endpoint->port));
    return Assignment{*hub, endpoint->host, *device_id};
}

base::Result<Assignment> read_assignment(const std::string& path, std::uint16_t hub_port) {
    auto text = base::read_text_file(path, max_assignment_size);
    if (!text)
        return base::fail_with("read the assignment " + path + " (mitral-enrol writes it)",
                               text.error());
    auto assignment = parse_assignment(*text, hub_port);
    if (!assignment)
        return base::fail_with(path, assignment.error());
    return assignment;
}

}  // namespace mitral::uplink
