#include "intake/lines/json_members.hpp"

#include "clinical/identifier.hpp"

namespace mitral::intake::json {
namespace {

constexpr std::size_t longest_fragment = 24;

}  // namespace

std::unexpected<Refusal> refuse(std::string_view reason) {
    return std::unexpected(Refusal{std::string(reason)});
}

std::unexpected<Refusal> refuse(Place place, std::string_view reason) {
    if (place.list == nullptr)
        return refuse(reason);
    std::string words(place.list);
    words.append("[").append(std::to_string(place.index)).append("]: ").append(reason);
    return std::unexpected(Refusal{std::move(words)});
}

std::string fragment(std::string_view text) {
    std::string shown(text.substr(0, longest_fragment));
    for (auto& c : shown) {
        if (!clinical::is_identifier({&c, 1}))
            c = '?';
    }
    if (text.size() > longest_fragment)
        shown.append("...");
    return shown;
}

std::expected<std::string_view, Refusal> text(Value& value, Place place, std::string_view key) {
    std::string_view content;
    if (value.get_string().get(content) != simdjson::SUCCESS)
        return refuse(place, std::string(key).append(" must be a string"));
    return content;
}

std::string_view number_token(Value& value) {
    std::string_view token = value.raw_json_token();
    // The token reaches to the next one: white space may follow the digits.
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t' || token.back() == '\r' ||
                              token.back() == '\n'))
        token.remove_suffix(1);
    return token;
}

std::string_view raw_text(simdjson::ondemand::raw_json_string raw) noexcept {
    // simdjson has found the closing quote before it hands out a string.
    const char* const begin = raw.raw();
    const char* end = begin;
    while (*end != '"')
        end += *end == '\\' ? 2 : 1;
    return {begin, static_cast<std::size_t>(end - begin)};
}

std::unexpected<Refusal> refuse_key(Place place, std::string_view key, std::string_view problem) {
    return refuse(place, std::string(problem).append(" '").append(fragment(key)).append("'"));
}

}  // namespace mitral::intake::json
