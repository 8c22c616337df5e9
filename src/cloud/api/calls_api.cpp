#include "cloud/api/calls_api.hpp"

#include "cloud/json.hpp"

namespace mitral::cloud::api {
namespace {

std::string_view name_of(http::Method method) {
    switch (method) {
        case http::Method::get:
            return "GET";
        case http::Method::put:
            return "PUT";
        case http::Method::post:
            return "POST";
        case http::Method::patch:
            return "PATCH";
        case http::Method::remove:
            return "DELETE";
        default:
            return "";
    }
}

}  // namespace

void CallsApi::mount(http::Router& admin) const {
    admin.add(http::Method::get, "/calls",
              [&calls = calls](const http::Request&, const http::Captures&) {
                  http::Response response;
                  response.content_type = "application/x-ndjson";
                  for (const auto& call : calls.calls())
                      response.body +=
                          dump({{"method", name_of(call.method)}, {"path", call.pattern}}) + "\n";
                  return response;
              });
}

}  // namespace mitral::cloud::api
