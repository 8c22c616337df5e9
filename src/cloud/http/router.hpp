#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/http/message.hpp"

namespace mitral::cloud::http {

// The decoded values of the {…} segments, in order.
using Captures = std::vector<std::string>;
using RouteHandler = std::function<Response(const Request&, const Captures&)>;

// Chooses a handler by method and path. Literal segments match without regard to case (Microsoft's
// clients write /enrollmentGroups and /enrollmentgroups); a trailing slash is not significant.
class Router {
  public:
    // `pattern`: "/devices/{id}/messages"; a {…} takes one whole, non-empty segment, "..." at the
    // end takes one or more.
    void add(Method method, std::string_view pattern, RouteHandler handler);
    struct Call {
        Method method;
        std::string pattern;  // as it was added
    };
    [[nodiscard]] std::vector<Call> calls() const;
    // 404 without a matching path, 405 when only the method differs.
    [[nodiscard]] Response route(const Request& request) const;

  private:
    struct Route {
        Call call;
        std::vector<std::string> segments;  // empty: a capture
        bool open_ended = false;
        RouteHandler handler;
    };
    std::vector<Route> routes_;
};

}  // namespace mitral::cloud::http
