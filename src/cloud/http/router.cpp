#include "cloud/http/router.hpp"

#include <algorithm>
#include <optional>

#include "azure/text.hpp"

namespace mitral::cloud::http {
namespace {

constexpr std::size_t max_segments = 16;

std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty() && segments.size() <= max_segments) {
        if (path.front() == '/') {
            path.remove_prefix(1);
            continue;
        }
        segments.push_back(path.substr(0, path.find('/')));
        path.remove_prefix(segments.back().size());
    }
    return segments;
}

std::optional<Captures> match(const std::vector<std::string>& pattern,
                              const std::vector<std::string_view>& path, bool open_ended) {
    if (open_ended ? path.size() <= pattern.size() : path.size() != pattern.size())
        return std::nullopt;
    Captures captures;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (!pattern[i].empty()) {
            if (!azure::equal_ignoring_case(pattern[i], path[i]))
                return std::nullopt;
            continue;
        }
        auto decoded = azure::percent_decode(path[i]);
        if (!decoded)
            return std::nullopt;
        captures.push_back(*std::move(decoded));
    }
    return captures;
}

Response refusal(unsigned status, std::string_view text) {
    Response response;
    response.status = status;
    response.body = std::string(text);
    return response;
}

}  // namespace

void Router::add(Method method, std::string_view pattern, RouteHandler handler) {
    std::vector<std::string> segments;
    for (const auto segment : split(pattern))
        segments.emplace_back(segment.starts_with('{') ? std::string_view() : segment);
    const bool open_ended = !segments.empty() && segments.back() == "...";
    if (open_ended)
        segments.pop_back();
    routes_.push_back(
        {{method, std::string(pattern)}, std::move(segments), open_ended, std::move(handler)});
}

std::vector<Router::Call> Router::calls() const {
    std::vector<Call> calls;
    for (const auto& route : routes_)
        calls.push_back(route.call);
    return calls;
}

Response Router::route(const Request& request) const {
    const auto path = split(request.path);
    bool path_known = false;
    for (const auto& route : routes_) {
        const auto captures = match(route.segments, path, route.open_ended);
        if (!captures)
            continue;
        if (route.call.method == request.method)
            return route.handler(request, *captures);
        path_known = true;
    }
    return path_known ? refusal(405, R"({"Message":"this method is not supported here"})")
                      : refusal(404, R"({"Message":"no such path"})");
}

}  // namespace mitral::cloud::http
