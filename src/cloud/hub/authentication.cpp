#include "cloud/hub/authentication.hpp"

#include <algorithm>
#include <array>

#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::hub {
namespace {

constexpr std::size_t min_key = 16;  // bytes
constexpr std::size_t max_key = 64;
constexpr std::array<std::size_t, 2> digest_sizes{20, 32};  // bytes of SHA-1 and SHA-256

using Field = std::string Authentication::*;

void take_missing(Authentication& wanted, const Authentication* before, Field field) {
    if ((wanted.*field).empty() && before != nullptr)
        wanted.*field = before->*field;
}

base::Status check_thumbprint(std::string& text) {
    if (text.empty())
        return {};
    const auto bytes = base::from_hex(text);
    if (!bytes ||
        std::find(digest_sizes.begin(), digest_sizes.end(), bytes->size()) == digest_sizes.end())
        return base::fail(CloudError::invalid_argument,
                          "a thumbprint is SHA-1 or SHA-256 in hex, 40 or 64 digits");
    for (auto& c : text)
        if (c >= 'a' && c <= 'f')
            c = static_cast<char>(c - 'a' + 'A');
    return {};
}

base::Result<Authentication> completed_keys(Authentication wanted, const Authentication* before) {
    for (const auto field : {&Authentication::primary_key, &Authentication::secondary_key}) {
        take_missing(wanted, before, field);
        if ((wanted.*field).empty())
            wanted.*field = store::new_key();
        MITRAL_CHECK(check_key(wanted.*field));
    }
    return Authentication{.primary_key = wanted.primary_key, .secondary_key = wanted.secondary_key};
}

base::Result<Authentication> completed_thumbprints(Authentication wanted,
                                                   const Authentication* before) {
    Authentication complete{.type = wanted.type};
    for (const auto field :
         {&Authentication::primary_thumbprint, &Authentication::secondary_thumbprint}) {
        take_missing(wanted, before, field);
        MITRAL_CHECK(check_thumbprint(wanted.*field));
        complete.*field = wanted.*field;
    }
    if (complete.primary_thumbprint.empty() && complete.secondary_thumbprint.empty())
        return base::fail(CloudError::invalid_argument, "type selfSigned needs a thumbprint");
    return complete;
}

}  // namespace

base::Result<Authentication> completed(Authentication wanted, const Authentication* before) {
    if (wanted.type == Authentication::sas)
        return completed_keys(std::move(wanted), before);
    if (wanted.type == Authentication::self_signed)
        return completed_thumbprints(std::move(wanted), before);
    if (wanted.type == Authentication::authority)
        return Authentication{.type = wanted.type};
    return base::fail(CloudError::invalid_argument,
                      "authentication type is sas, selfSigned or certificateAuthority");
}

base::Status check_key(std::string_view key) {
    const auto decoded = base::from_base64(key);
    if (!decoded || decoded->size() < min_key || decoded->size() > max_key)
        return base::fail(CloudError::invalid_argument, "a key is 16 to 64 bytes in base64");
    return {};
}

}  // namespace mitral::cloud::hub
