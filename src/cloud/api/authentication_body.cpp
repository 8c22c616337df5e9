#include "cloud/api/authentication_body.hpp"

#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

}  // namespace

base::Result<hub::Authentication> read_authentication(const Json& body) {
    hub::Authentication read;
    const auto* authentication = member(body, "authentication");
    if (authentication == nullptr || !authentication->is_object())
        return read;
    if (const auto* keys = member(*authentication, "symmetricKey")) {
        read.primary_key = text_member(*keys, "primaryKey");
        read.secondary_key = text_member(*keys, "secondaryKey");
    }
    if (const auto* thumbprints = member(*authentication, "x509Thumbprint")) {
        read.primary_thumbprint = text_member(*thumbprints, "primaryThumbprint");
        read.secondary_thumbprint = text_member(*thumbprints, "secondaryThumbprint");
    }
    const bool shows_thumbprint =
        !read.primary_thumbprint.empty() || !read.secondary_thumbprint.empty();
    read.type =
        text_member(*authentication, "type",
                    shows_thumbprint ? hub::Authentication::self_signed : hub::Authentication::sas);
    if (read.type == "none")
        return base::fail(CloudError::not_supported, "Authentication of type none");
    return read;
}

Json thumbprints_json(const std::string& primary, const std::string& secondary) {
    return {{"primaryThumbprint", text_or_null(primary)},
            {"secondaryThumbprint", text_or_null(secondary)}};
}

Json authentication_json(const hub::Authentication& authentication) {
    return {{"type", authentication.type},
            {"symmetricKey",
             {{"primaryKey", text_or_null(authentication.primary_key)},
              {"secondaryKey", text_or_null(authentication.secondary_key)}}},
            {"x509Thumbprint", thumbprints_json(authentication.primary_thumbprint,
                                                authentication.secondary_thumbprint)}};
}

}  // namespace mitral::cloud::api
