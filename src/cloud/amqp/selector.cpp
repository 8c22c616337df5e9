#include "cloud/amqp/selector.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "cloud/error.hpp"

namespace mitral::cloud::amqp {
namespace {

constexpr std::size_t max_length = 256;

std::string_view trim(std::string_view text) {
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

auto unknown() {
    return base::fail(CloudError::invalid_argument, "the filter is not understood");
}

}  // namespace

base::Result<Position> parse_selector(std::string_view text) {
    constexpr std::string_view annotation = "amqp.annotation.";
    const auto sign = text.find('>');
    if (text.size() > max_length || sign == std::string_view::npos ||
        !trim(text).starts_with(annotation))
        return unknown();
    const auto name = trim(trim(text.substr(0, sign)).substr(annotation.size()));
    const bool inclusive = text.substr(sign + 1).starts_with('=');
    auto value = trim(text.substr(sign + (inclusive ? 2 : 1)));
    if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
        value = value.substr(1, value.size() - 2);
    const bool by_offset = name == "x-opt-offset";
    if (by_offset && value == "@latest")
        return Position{.kind = Position::Kind::latest};
    const auto at = number(value);
    if (!at)
        return unknown();
    if (name == "x-opt-enqueued-time" || name == "x-opt-enqueuedtimeutc")
        return Position{.kind = Position::Kind::enqueued,
                        .after_ms = std::max<std::int64_t>(*at, 0) - (inclusive ? 1 : 0)};
    if (!by_offset && name != "x-opt-sequence-number")
        return unknown();
    if (*at < 0)
        return Position{};
    return Position{.kind = Position::Kind::offset,
                    .from = static_cast<std::uint64_t>(*at) + (inclusive ? 0 : 1)};
}

}  // namespace mitral::cloud::amqp
