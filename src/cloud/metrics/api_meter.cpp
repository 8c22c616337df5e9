#include "cloud/metrics/api_meter.hpp"

#include <array>
#include <vector>

#include "azure/text.hpp"

namespace mitral::cloud::metrics {
namespace {

using azure::equal_ignoring_case;

// Enough of a path to know it by.
std::vector<std::string_view> first_segments(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty() && segments.size() < 6) {
        const auto end = path.find('/');
        if (end != 0)
            segments.push_back(path.substr(0, end));
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
    return segments;
}

bool has(const std::vector<std::string_view>& segments, std::string_view wanted) {
    for (std::size_t i = 1; i < segments.size(); ++i)
        if (equal_ignoring_case(segments[i], wanted))
            return true;
    return false;
}

std::string_view of_devices(const std::vector<std::string_view>& segments) {
    if (segments.size() == 2 && equal_ignoring_case(segments[1], "query"))
        return "query";
    if (has(segments, "messages") || has(segments, "commands"))
        return "device-messages";
    return has(segments, "modules") ? "modules" : "registry";
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> roots{
    {{"enrollments", "enrolments"},
     {"enrollmentgroups", "enrolments"},
     {"statistics", "statistics"},
     {"jobs", "jobs"},
     {"configurations", "configurations"},
     {"digitaltwins", "digital-twins"},
     {"deviceupdate", "device-update"},
     {"update-files", "update-files"},
     {"$iothub", "websocket"}}};

}  // namespace

std::string_view api_of(std::string_view path) {
    const auto segments = first_segments(path);
    if (segments.empty())
        return "other";
    if (equal_ignoring_case(segments[0], "devices"))
        return of_devices(segments);
    if (equal_ignoring_case(segments[0], "twins"))
        return has(segments, "methods") ? "methods" : "twins";
    for (const auto& [root, name] : roots)
        if (equal_ignoring_case(segments[0], root))
            return name;
    if (equal_ignoring_case(segments[0], "registrations"))
        return "registrations";
    if (segments.size() > 1 && equal_ignoring_case(segments[1], "registrations"))
        return "provisioning";
    return "other";
}

http::Response ApiMeter::count(const http::Request& request, http::Response response) {
    const auto api = api_of(request.path);
    if (!response.later) {
        ++counts_[{api, response.status}];
        return response;
    }
    auto counted = std::make_shared<http::LateAnswer>();
    response.later->on_given([this, api, counted](http::Response given) {
        ++counts_[{api, given.status}];
        counted->give(std::move(given));
    });
    response.later = std::move(counted);
    return response;
}

}  // namespace mitral::cloud::metrics
