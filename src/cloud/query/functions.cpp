#include "cloud/query/functions.hpp"

#include <algorithm>
#include <array>

#include "azure/text.hpp"

namespace mitral::cloud::query {
namespace {

using Made = std::deque<Json>;

const Json* made(Made& store, Json value) {
    return &store.emplace_back(std::move(value));
}

const std::string* text_of(const Json* value) {
    return value != nullptr && value->is_string() ? value->get_ptr<const std::string*>() : nullptr;
}

// The type checks are false for what is undefined, so that NOT finds it.
template <bool (Json::*Check)() const noexcept>
const Json* is_type(const Json* value, const Json*, Made& store) {
    return made(store, value != nullptr && (value->*Check)());
}

const Json* is_defined(const Json* value, const Json*, Made& store) {
    return made(store, value != nullptr);
}

template <typename Test>
const Json* test_texts(const Json* first, const Json* second, Made& store, Test test) {
    const auto* text = text_of(first);
    const auto* part = text_of(second);
    return text != nullptr && part != nullptr ? made(store, test(*text, *part)) : nullptr;
}

const Json* starts_with(const Json* first, const Json* second, Made& store) {
    return test_texts(first, second, store, [](const std::string& text, const std::string& part) {
        return text.starts_with(part);
    });
}

const Json* ends_with(const Json* first, const Json* second, Made& store) {
    return test_texts(first, second, store, [](const std::string& text, const std::string& part) {
        return text.ends_with(part);
    });
}

const Json* contains(const Json* first, const Json* second, Made& store) {
    return test_texts(first, second, store, [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    });
}

const Json* lower(const Json* value, const Json*, Made& store) {
    const auto* text = text_of(value);
    return text != nullptr ? made(store, azure::to_lower(*text)) : nullptr;
}

const Json* upper(const Json* value, const Json*, Made& store) {
    const auto* text = text_of(value);
    if (text == nullptr)
        return nullptr;
    auto raised = *text;
    for (auto& c : raised)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return made(store, std::move(raised));
}

const Json* length(const Json* value, const Json*, Made& store) {
    const auto* text = text_of(value);
    if (text == nullptr)
        return nullptr;
    const auto characters = std::count_if(text->begin(), text->end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    return made(store, characters);
}

constexpr std::array functions{
    Function{"CONTAINS", 2, contains},
    Function{"ENDSWITH", 2, ends_with},
    Function{"ENDS_WITH", 2, ends_with},
    Function{"IS_ARRAY", 1, is_type<&Json::is_array>},
    Function{"IS_BOOL", 1, is_type<&Json::is_boolean>},
    Function{"IS_DEFINED", 1, is_defined},
    Function{"IS_NULL", 1, is_type<&Json::is_null>},
    Function{"IS_NUMBER", 1, is_type<&Json::is_number>},
    Function{"IS_OBJECT", 1, is_type<&Json::is_object>},
    Function{"IS_PRIMITIVE", 1, is_type<&Json::is_primitive>},
    Function{"IS_STRING", 1, is_type<&Json::is_string>},
    Function{"LENGTH", 1, length},
    Function{"LOWER", 1, lower},
    Function{"STARTSWITH", 2, starts_with},
    Function{"STARTS_WITH", 2, starts_with},
    Function{"UPPER", 1, upper},
};

}  // namespace

const Function* find_function(std::string_view name) noexcept {
    for (const auto& function : functions)
        if (azure::equal_ignoring_case(function.name, name))
            return &function;
    return nullptr;
}

std::string function_names() {
    std::string names;
    for (const auto& function : functions)
        names.append(names.empty() ? "" : ", ").append(function.name);
    return names;
}

}  // namespace mitral::cloud::query
