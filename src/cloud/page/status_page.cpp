#include "cloud/page/status_page.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace mitral::cloud::page {
namespace {

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http::Response file(std::string_view content, std::string_view type) {
    http::Response response;
    response.body = content;
    response.content_type = type;
    response.headers.emplace_back("Content-Security-Policy", policy);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

void add(http::Router& routes, std::string_view path, std::string_view content,
         std::string_view type) {
    routes.add(http::Method::get, path,
               [content, type](const http::Request&, const auto&) { return file(content, type); });
}

// "127.0.0.1:8081", "localhost", "[::1]:8081"
bool is_loopback(std::string_view authority) {
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string_view::npos && authority.back() != ']';
    const auto host = has_port ? authority.substr(0, colon) : authority;
    constexpr std::array<std::string_view, 3> own{"127.0.0.1", "localhost", "[::1]"};
    return std::find(own.begin(), own.end(), host) != own.end();
}

}  // namespace

void mount(http::Router& admin) {
    add(admin, "/", html, "text/html; charset=utf-8");
    add(admin, "/status.css", style, "text/css; charset=utf-8");
    add(admin, "/status.js", script, "text/javascript; charset=utf-8");
}

bool is_from_this_machine(const http::Request& request) {
    const auto host = request.header("host");
    if (!host.empty() && !is_loopback(host))
        return false;
    const auto origin = request.header("origin");
    return origin.empty() || origin == "http://" + std::string(host);
}

http::Response refusal() {
    http::Response response;
    response.status = 403;
    response.body =
        R"({"Message":"the admin port answers to its own page and this machine's programs"})";
    return response;
}

}  // namespace mitral::cloud::page
