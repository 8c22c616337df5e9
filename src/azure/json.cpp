#include <fmt/format.h>

#include "azure/dps.hpp"
#include "azure/errors.hpp"
#include "azure/json_private.hpp"

namespace mitral::azure {
namespace {

using nlohmann::json;

// Before the parser builds anything: brackets outside strings.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > max_json_depth)
                return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

const json* member(const json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::unexpected<base::Error> wrong(const char* name, std::string_view what) {
    return base::fail(AzureError::malformed_answer, fmt::format("member \"{}\" {}", name, what));
}

}  // namespace

base::Result<json> parse_json_object(std::string_view text) {
    if (text.size() > max_dps_body)
        return base::fail(
            AzureError::too_large,
            fmt::format("a body of {} bytes; at most {} are read", text.size(), max_dps_body));
    if (too_deep(text))
        return base::fail(AzureError::too_large,
                          fmt::format("JSON nested deeper than {} levels", max_json_depth));
    auto value = json::parse(text.begin(), text.end(), nullptr, false);
    if (!value.is_object())
        return base::fail(AzureError::malformed_answer, "the body is not a JSON object");
    return value;
}

base::Result<std::string> text_member(const json& object, const char* name, std::size_t limit) {
    const auto* found = member(object, name);
    if (found == nullptr)
        return std::string();
    if (!found->is_string())
        return wrong(name, "is not a text");
    const auto& text = found->get_ref<const std::string&>();
    if (text.size() > limit)
        return wrong(name, "is too long");
    return text;
}

base::Result<std::int64_t> integer_member(const json& object, const char* name) {
    const auto* found = member(object, name);
    if (found == nullptr)
        return 0;
    if (!found->is_number_integer() ||
        (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX))
        return wrong(name, "is not an integer");
    return found->get<std::int64_t>();
}

std::string raw_member(const json& object, const char* name) {
    const auto* found = member(object, name);
    return found == nullptr ? std::string() : dump(*found);
}

base::Result<const json*> object_member(const json& object, const char* name) {
    const auto* found = member(object, name);
    if (found != nullptr && !found->is_object())
        return wrong(name, "is not an object");
    return found;
}

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace mitral::azure
