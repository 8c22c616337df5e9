#include "cloud/api/device_update_api.hpp"

namespace mitral::cloud::api {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

void UpdateKeysApi::mount(http::Router& router) const {
    const auto change = [&](std::string_view path, auto action) {
        add_update_call(router, anyone(), Method::post, path,
                        [&ring = keys, action](const Request&, const Captures& at) {
                            const auto done = action(ring, at);
                            return done ? json_response(200, Json::object())
                                        : update_refusal(done.error());
                        });
    };
    add_update_call(router, anyone(), Method::get, "/keys/roots",
                    [&ring = keys](const Request&, const Captures&) {
                        auto roots = ring.trusted_roots();
                        if (!roots)
                            return update_refusal(roots.error());
                        Response response;
                        response.body = *std::move(roots);
                        return response;
                    });
    change("/keys/roots:rotate", [](auto& ring, const auto&) { return ring.rotate_root(); });
    change("/keys/signing:rotate",
           [](auto& ring, const auto&) { return ring.rotate_signing_key(); });
    change("/keys/roots/{kid}/disable",
           [](auto& ring, const auto& at) { return ring.disable_root(at[0]); });
}

}  // namespace mitral::cloud::api
