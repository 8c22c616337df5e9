#include "clinical/identifier.hpp"

#include <algorithm>
#include <array>

namespace mitral::clinical {
namespace {

constexpr std::array<bool, 256> make_identifier_table() {
    std::array<bool, 256> table{};
    for (const char c :
         std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr auto identifier_table = make_identifier_table();

bool within(std::string_view text, std::size_t limit) noexcept {
    return !text.empty() && text.size() <= limit;
}

}  // namespace

bool is_identifier(std::string_view text) noexcept {
    // To the end in any case: nearly every text is one, and a loop without a way out is cheap.
    bool good = within(text, max_identifier);
    for (const char c : text.substr(0, max_identifier))
        good &= identifier_table[static_cast<unsigned char>(c)];
    return good;
}

bool is_unit(std::string_view text) noexcept {
    return within(text, max_unit) && std::ranges::all_of(text, [](char c) {
               return c > ' ' && c < '\x7f' && c != '"' && c != '\\';
           });
}

bool is_subject(std::string_view text) noexcept {
    return text.size() == subject_size && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
           });
}

}  // namespace mitral::clinical
