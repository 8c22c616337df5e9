#include "cloud/query/continuation.hpp"

#include "base/encoding.hpp"
#include "cloud/error.hpp"
#include "cloud/json.hpp"

namespace mitral::cloud::query {
namespace {

constexpr std::size_t max_text = 1024;

std::uint32_t mark_of(std::string_view query) {
    std::uint32_t mark = 2'166'136'261;  // FNV-1a: a mistake is to be noticed, not an attack
    for (const char c : query)
        mark = (mark ^ static_cast<unsigned char>(c)) * 16'777'619;
    return mark;
}

auto refused() {
    return base::fail(CloudError::invalid_argument,
                      "x-ms-continuation does not belong to this query");
}

}  // namespace

std::string encode(const Continuation& continuation, std::string_view query) {
    const Json fields{mark_of(query), continuation.device, continuation.module, continuation.given};
    return base::to_base64(base::as_bytes(dump(fields)));
}

base::Result<Continuation> decode(std::string_view text, std::string_view query) {
    if (text.empty())
        return Continuation{};
    const auto decoded =
        text.size() <= max_text ? base::from_base64(text) : base::Result<base::Bytes>(refused());
    if (!decoded)
        return refused();
    const auto fields = parse_json(base::as_text(*decoded));
    if (!fields || !fields->is_array() || fields->size() != 4)
        return refused();
    const auto& row = *fields;
    if (!row[0].is_number_unsigned() || row[0] != mark_of(query) || !row[1].is_string() ||
        !row[2].is_string() || !row[3].is_number_unsigned())
        return refused();
    return Continuation{row[1].get<std::string>(), row[2].get<std::string>(),
                        row[3].get<std::uint64_t>()};
}

}  // namespace mitral::cloud::query
