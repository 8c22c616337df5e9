#include "cloud/api/authorities_api.hpp"

#include "cloud/api/json.hpp"
#include "cloud/api/service_calls.hpp"
#include "cloud/tls/client_certificate.hpp"

namespace mitral::cloud::api {
namespace {

using http::Captures;
using http::Method;
using http::Request;
using http::Response;

Response list(const AuthoritiesApi& api) {
    const auto authorities = api.authorities.list();
    if (!authorities)
        return refusal_of(authorities.error());
    Response response;
    response.content_type = "application/x-ndjson";
    for (const auto& authority : *authorities)
        response.body += authority_json(authority) + "\n";
    return response;
}

Response put(AuthoritiesApi& api, const Request& request, const std::string& name) {
    const auto stored = api.authorities.put(name, request.body);
    if (!stored)
        return refusal_of(stored.error());
    Response response;
    response.body = authority_json(*stored);
    return response;
}

Response remove(AuthoritiesApi& api, const std::string& name) {
    const auto removed = api.authorities.remove(name);
    return removed ? no_content() : refusal_of(removed.error());
}

}  // namespace

std::string authority_json(const hub::Authority& authority) {
    Json line{{"name", authority.name}, {"added", base::to_iso8601(authority.added)}};
    if (const auto facts = tls::read_certificate(authority.pem)) {
        line["subject"] = facts->subject;
        line["sha256Thumbprint"] = facts->sha256;
        line["notAfterUtc"] = base::to_iso8601(facts->not_after);
    }
    return dump(line);
}

void AuthoritiesApi::mount(http::Router& router) {
    router.add(Method::get, "/ca-certificates",
               [self = *this](const Request&, const Captures&) { return list(self); });
    router.add(Method::put, "/ca-certificates/{name}",
               [self = *this](const Request& request, const Captures& at) mutable {
                   return put(self, request, at[0]);
               });
    router.add(
        Method::remove, "/ca-certificates/{name}",
        [self = *this](const Request&, const Captures& at) mutable { return remove(self, at[0]); });
}

}  // namespace mitral::cloud::api
