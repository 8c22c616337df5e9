#include "cloud/log/checksum.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/bytes.hpp"
#include "base/crypto.hpp"

namespace mitral::cloud::log {
namespace {

constexpr std::string_view head = R"({"offset":)";
constexpr std::string_view label = R"(,"crc32c":")";
constexpr std::string_view end = R"("})";
constexpr std::size_t digits = 8;
constexpr std::size_t seal_size = label.size() + digits + end.size();

bool is_sealed(std::string_view line) noexcept {
    if (line.size() < seal_size || !line.ends_with(end))
        return false;
    const auto content = line.substr(0, line.size() - seal_size);
    const auto seal = line.substr(content.size());
    if (!seal.starts_with(label))
        return false;
    const auto number = seal.substr(label.size(), digits);
    std::uint32_t sum = 0;
    const auto [stop, error] =
        std::from_chars(number.data(), number.data() + number.size(), sum, 16);
    return error == std::errc() && stop == number.data() + number.size() &&
           sum == base::crc32c(base::as_bytes(content));
}

bool is_from_before_checksums(std::string_view line) noexcept {
    return line.ends_with(R"(,"dup":false})") || line.ends_with(R"(,"dup":true})");
}

}  // namespace

void seal_line(std::string& out, std::size_t begin) {
    const auto sum = base::crc32c(base::as_bytes(std::string_view(out).substr(begin)));
    fmt::format_to(std::back_inserter(out), "{}{:08x}{}\n", label, sum, end);
}

std::optional<std::uint64_t> offset_of(std::string_view line) noexcept {
    return is_sealed(line) || is_from_before_checksums(line) ? claimed_offset_of(line)
                                                             : std::nullopt;
}

std::optional<std::uint64_t> claimed_offset_of(std::string_view line) noexcept {
    if (!line.starts_with(head))
        return std::nullopt;
    line.remove_prefix(head.size());
    std::uint64_t offset = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), offset);
    if (error != std::errc() || stop == line.data() + line.size() || *stop != ',')
        return std::nullopt;
    return offset;
}

}  // namespace mitral::cloud::log
