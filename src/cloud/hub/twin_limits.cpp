#include "cloud/hub/twin_limits.hpp"

#include "azure/text.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::hub {
namespace {

auto refused(std::string reason) {
    return base::fail(CloudError::invalid_argument, std::move(reason));
}

bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

// C1 (U+0080 to U+009F) is C2 80 to C2 9F in UTF-8.
bool is_c1(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]) == 0xc2 && at + 1 < text.size() &&
           static_cast<unsigned char>(text[at + 1]) < 0xa0;
}

bool continues(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

std::size_t characters(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!continues(text[i]) && !is_control(static_cast<unsigned char>(text[i])) &&
            !is_c1(text, i))
            ++count;
    return count;
}

base::Status check_key(std::string_view key) {
    if (key.empty() || key.size() > max_twin_key)
        return refused("a key has 1 to 1024 bytes: " + azure::shown(key));
    for (std::size_t i = 0; i < key.size(); ++i)
        if (key[i] == '.' || key[i] == '$' || key[i] == ' ' ||
            is_control(static_cast<unsigned char>(key[i])) || is_c1(key, i))
            return refused("a key holds no '.', '$', space or control character: " +
                           azure::shown(key));
    return {};
}

base::Status check_value(const Json& value, std::size_t depth);

base::Status check_object(const Json& object, std::size_t depth) {
    if (depth > max_twin_depth)
        return refused("objects nest deeper than 10 levels");
    for (const auto& [key, value] : object.items()) {
        MITRAL_CHECK(check_key(key));
        if (const auto good = check_value(value, depth); !good)
            return refused(good.error().context + " (at " + azure::shown(key) + ")");
    }
    return {};
}

base::Status check_array(const Json& array, std::size_t depth) {
    if (depth > max_twin_depth)
        return refused("arrays nest deeper than 10 levels");
    for (const auto& value : array)
        MITRAL_CHECK(check_value(value, depth));
    return {};
}

base::Status check_integer(const Json& value) {
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <= std::uint64_t{max_twin_integer}
                          : value.get<std::int64_t>() >= min_twin_integer;
    if (!fits)
        return refused("integers go from -4503599627370496 to 4503599627370495");
    return {};
}

base::Status check_value(const Json& value, std::size_t depth) {
    if (value.is_object())
        return check_object(value, depth + 1);
    if (value.is_array())
        return check_array(value, depth + 1);
    if (value.is_string() && value.get_ref<const std::string&>().size() > max_twin_string)
        return refused("a string has at most 4096 bytes");
    if (value.is_number_integer())
        return check_integer(value);
    return {};
}

}  // namespace

base::Status check_twin_values(const Json& object) {
    return check_object(object, 0);
}

std::size_t twin_size(const Json& value) {
    if (value.is_string())
        return characters(value.get_ref<const std::string&>());
    if (value.is_number())
        return 8;
    if (value.is_boolean())
        return 4;
    std::size_t size = 0;
    if (value.is_object())
        for (const auto& [key, inner] : value.items())
            size += characters(key) + twin_size(inner);
    if (value.is_array())
        for (const auto& inner : value)
            size += twin_size(inner);
    return size;
}

std::size_t max_size(TwinPart part) noexcept {
    return part == TwinPart::tags ? max_tags : max_properties_size;
}

}  // namespace mitral::cloud::hub
