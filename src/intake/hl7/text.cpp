#include "intake/hl7/text.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <optional>

#include "base/encoding.hpp"

namespace mitral::intake::hl7 {
namespace {

// nullopt: not a sequence we know.
std::optional<std::string> meaning(std::string_view sequence, const Delimiters& delimiters) {
    const auto one = [](char c) { return c == '\0' ? std::string() : std::string(1, c); };
    if (sequence.size() == 1) {
        switch (sequence.front()) {
            case 'F':
                return one(delimiters.field);
            case 'S':
                return one(delimiters.component);
            case 'T':
                return one(delimiters.subcomponent);
            case 'R':
                return one(delimiters.repetition);
            case 'E':
                return one(delimiters.escape);
            case 'P':  // truncation, from v2.7 on
                return "#";
            case 'H':
            case 'N':
                return "";
            default:
                return std::nullopt;
        }
    }
    if (sequence == ".br")
        return "\n";
    if (sequence.size() > 1 && sequence.front() == 'X') {
        if (const auto bytes = base::from_hex(sequence.substr(1)))
            return std::string(base::as_text(*bytes));
    }
    return std::nullopt;
}

// Table 0211, and what monitors write instead. ASCII and UTF-8 need nothing.
struct Charset {
    std::string_view name;
    const char* iconv_name;  // nullptr: refused
};
constexpr auto charsets = std::to_array<Charset>({
    {"8859/1", "ISO-8859-1"},
    {"8859/2", "ISO-8859-2"},
    {"8859/3", "ISO-8859-3"},
    {"8859/4", "ISO-8859-4"},
    {"8859/5", "ISO-8859-5"},
    {"8859/6", "ISO-8859-6"},
    {"8859/7", "ISO-8859-7"},
    {"8859/8", "ISO-8859-8"},
    {"8859/9", "ISO-8859-9"},
    {"8859/15", "ISO-8859-15"},
    {"GB 18030-2000", "GB18030"},
    {"GB18030", "GB18030"},
    {"BIG-5", "BIG5"},
    {"KS X 1001", "EUC-KR"},
    {"ISO IR14", "ISO-IR-14"},
    {"ISO IR87", "ISO-2022-JP"},
    {"ISO IR159", "ISO-2022-JP-1"},
});

bool needs_nothing(std::string_view name) noexcept {
    return name.empty() || name == "ASCII" || name == "ISO IR6" || name == "UNICODE UTF-8" ||
           name == "UTF-8" || name == "UTF8";
}

class Converter {
  public:
    explicit Converter(const char* from) noexcept : handle_(::iconv_open("UTF-8", from)) {}
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    ~Converter() {
        if (valid())
            (void)::iconv_close(handle_);
    }
    // iconv_open(3) answers with (iconv_t)-1 where it fails.
    [[nodiscard]] bool valid() const noexcept {
        return handle_ != reinterpret_cast<iconv_t>(-1);  // NOLINT(performance-no-int-to-ptr)
    }
    [[nodiscard]] iconv_t handle() const noexcept { return handle_; }

  private:
    iconv_t handle_;
};

std::unexpected<Unusable> unusable(std::string_view reason) {
    return std::unexpected(Unusable{std::string(reason)});
}

}  // namespace

std::string unescape(std::string_view text, const Delimiters& delimiters) {
    const char escape = delimiters.escape;
    if (escape == '\0' || text.find(escape) == std::string_view::npos)
        return std::string(text);
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto open = std::min(text.find(escape), text.size());
        out.append(text.substr(0, open));
        text.remove_prefix(open);
        if (text.empty())
            break;
        const auto close = text.find(escape, 1);
        const auto known = close == std::string_view::npos
                               ? std::nullopt
                               : meaning(text.substr(1, close - 1), delimiters);
        if (known)
            out.append(*known);
        else
            out.push_back(escape);
        text.remove_prefix(known ? close + 1 : 1);
    }
    return out;
}

std::expected<std::string_view, Unusable> to_utf8(std::string_view text,
                                                  std::string_view character_set,
                                                  std::string& storage) {
    if (needs_nothing(character_set))
        return text;
    const auto known = std::ranges::find(charsets, character_set, &Charset::name);
    if (known == charsets.end())
        return unusable("MSH-18 names a character set that this gateway does not read");
    const Converter converter(known->iconv_name);
    if (!converter.valid())
        return unusable("the system lacks the conversion of the character set in MSH-18");
    storage.resize(text.size() * 4 + 16);  // no character of these sets takes more in UTF-8
    auto* in = const_cast<char*>(text.data());
    std::size_t in_left = text.size();
    char* out = storage.data();
    std::size_t out_left = storage.size();
    if (::iconv(converter.handle(), &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1))
        return unusable("the message is not in the character set that MSH-18 names");
    storage.resize(storage.size() - out_left);
    return std::string_view(storage);
}

struct CharacterSets::Loaded {
    std::list<Converter> converters;
};

CharacterSets::CharacterSets() : loaded_(std::make_unique<Loaded>()) {
    for (const auto& set : charsets)
        loaded_->converters.emplace_back(set.iconv_name);
}

CharacterSets::~CharacterSets() = default;

}  // namespace mitral::intake::hl7
