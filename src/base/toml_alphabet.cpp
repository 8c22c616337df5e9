#include "base/toml_alphabet.hpp"

#include <algorithm>

namespace mitral::base {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

class Scanner {
  public:
    explicit Scanner(std::string_view text) noexcept : text_(text) {}

    // The offset of the first stray byte, or the size of the text.
    std::size_t find() noexcept {
        if (text_.starts_with(byte_order_mark))
            at_ = byte_order_mark.size();
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\n')
                end_line();
            else if (is_control(text_[at_]))
                break;
            else if (!is_ascii(text_[at_]) && !comment_ && (quote_ == 0 || several_lines_))
                break;
            else if (quote_ != 0)
                inside();
            else if (!comment_)
                outside();
        }
        return at_;
    }

  private:
    static bool is_ascii(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }

    static bool is_control(char c) noexcept {
        const auto code = static_cast<unsigned char>(c);
        return (code < ' ' && c != '\t' && c != '\r') || code == 0x7F;
    }

    [[nodiscard]] bool three_quotes() const noexcept {
        const auto next = text_.substr(at_, 3);
        return next.size() == 3 && std::ranges::count(next, text_[at_]) == 3;
    }
    void end_line() noexcept {
        comment_ = false;
        if (!several_lines_)
            quote_ = 0;
    }
    void outside() noexcept {
        const char c = text_[at_];
        comment_ = c == '#';
        if (c != '"' && c != '\'')
            return;
        // No string begins in the middle of a word: 5x"ü" is searched for white space.
        if (at_ > 0 &&
            std::string_view(" \t\n=,[{.").find(text_[at_ - 1]) == std::string_view::npos)
            return;
        quote_ = c;
        several_lines_ = three_quotes();
        if (several_lines_)
            at_ += 2;
    }
    void inside() noexcept {
        const char c = text_[at_];
        const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (c == '\\' && quote_ == '"' && (next == '"' || next == '\\'))
            ++at_;
        if (c != quote_ || (several_lines_ && !three_quotes()))
            return;
        if (several_lines_) {
            at_ += 2;
            // One or two more still belong to the string.
            for (int more = 0; more < 2 && text_.substr(at_ + 1).starts_with(quote_); ++more)
                ++at_;
        }
        quote_ = 0;
        several_lines_ = false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    char quote_ = 0;  // 0: in no string
    bool several_lines_ = false;
    bool comment_ = false;
};

}  // namespace

std::optional<std::size_t> line_no_parser_may_see(std::string_view text) noexcept {
    const auto at = Scanner(text).find();
    if (at >= text.size())
        return std::nullopt;
    return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, at), '\n'));
}

}  // namespace mitral::base
