#include "cloud/json.hpp"

#include "cloud/error.hpp"

namespace mitral::cloud {
namespace {

bool too_deep(std::string_view text) {
    std::size_t depth = 0;
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
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

}  // namespace

base::Result<Json> parse_json(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return Json::object();
    if (too_deep(text))
        return base::fail(CloudError::invalid_argument, "JSON nested deeper than 32 levels");
    auto parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded())
        return base::fail(CloudError::invalid_argument, "body is no JSON");
    return parsed;
}

const Json* member(const Json& object, std::string_view name) {
    if (!object.is_object())
        return nullptr;
    const auto found = object.find(std::string(name));
    return found == object.end() ? nullptr : &*found;
}

std::string text_member(const Json& object, std::string_view name, std::string_view fallback) {
    const auto* found = member(object, name);
    return found != nullptr && found->is_string() ? found->get<std::string>()
                                                  : std::string(fallback);
}

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace mitral::cloud
