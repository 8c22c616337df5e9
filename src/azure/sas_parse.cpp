#include <charconv>
#include <optional>

#include "azure/errors.hpp"
#include "azure/sas.hpp"
#include "azure/text.hpp"
#include "base/encoding.hpp"

namespace mitral::azure {
namespace {

constexpr std::size_t max_token_text = 4096;
constexpr std::string_view scheme = "SharedAccessSignature ";

std::unexpected<base::Error> malformed(std::string_view what) {
    return base::fail(AzureError::malformed_token, std::string(what));
}

struct Fields {
    std::optional<std::string_view> resource, signature, expiry, policy;

    std::optional<std::string_view>* named(std::string_view name) {
        if (name == "sr")
            return &resource;
        if (name == "sig")
            return &signature;
        if (name == "se")
            return &expiry;
        if (name == "skn")
            return &policy;
        return nullptr;
    }
};

base::Result<Fields> split_fields(std::string_view rest) {
    Fields fields;
    while (true) {
        const auto end = rest.find('&');
        const auto pair = rest.substr(0, end);
        const auto equals = pair.find('=');
        if (equals == std::string_view::npos)
            return malformed("a field without '='");
        auto* field = fields.named(pair.substr(0, equals));
        if (field == nullptr)
            return malformed("an unknown field");
        if (field->has_value())
            return malformed("a repeated field");
        *field = pair.substr(equals + 1);
        if (end == std::string_view::npos)
            return fields;
        rest.remove_prefix(end + 1);
    }
}

base::Result<std::int64_t> parse_expiry(std::string_view text) {
    std::int64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stopped != end || value < 0)
        return malformed("se is not a number of seconds");
    return value;
}

base::Result<base::Sha256Digest> parse_signature(std::string_view text) {
    const auto decoded = percent_decode(text);
    if (!decoded)
        return malformed("sig has a broken escape");
    const auto bytes = base::from_base64(*decoded);
    base::Sha256Digest digest{};
    if (!bytes || bytes->size() != digest.size())
        return malformed("sig is not 32 bytes in base64");
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

}  // namespace

base::Result<ParsedToken> parse_token(std::string_view text) {
    if (text.size() > max_token_text)
        return malformed("longer than 4096 bytes");
    if (!text.starts_with(scheme))
        return malformed("does not begin with \"SharedAccessSignature \"");
    MITRAL_TRY(const auto fields, split_fields(text.substr(scheme.size())));
    if (!fields.resource || fields.resource->empty() || !fields.signature || !fields.expiry)
        return malformed("sr, sig or se is missing");

    ParsedToken token;
    token.raw_resource = *fields.resource;
    token.raw_expiry = *fields.expiry;
    auto resource = percent_decode(*fields.resource);
    if (!resource)
        return malformed("sr has a broken escape");
    token.resource = *std::move(resource);
    MITRAL_TRY(token.expiry_s, parse_expiry(*fields.expiry));
    MITRAL_TRY(token.signature, parse_signature(*fields.signature));
    token.policy = fields.policy.value_or("");
    return token;
}

bool covers(std::string_view granted, std::string_view wanted) {
    if (const auto last = granted.rfind('/');
        last != std::string_view::npos && granted.substr(last + 1).starts_with("api-version="))
        granted = granted.substr(0, last);
    if (granted.empty() || granted.size() > wanted.size())
        return false;
    if (granted.size() < wanted.size() && wanted[granted.size()] != '/')
        return false;  // a prefix that ends inside a segment

    const auto head = wanted.substr(0, granted.size());
    const auto host_end = std::min(head.find('/'), head.size());
    if (!equal_ignoring_case(granted.substr(0, host_end), head.substr(0, host_end)))
        return false;
    const auto path = granted.substr(host_end);
    return path == head.substr(host_end) || path == to_lower(head.substr(host_end));
}

}  // namespace mitral::azure
