#include "cloud/query/lexer.hpp"

#include <array>

#include "cloud/error.hpp"

namespace mitral::cloud::query {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           static_cast<unsigned char>(c) >= 0x80;
}

// Keys of twins may hold '-'; the language has no subtraction.
bool goes_on_name(char c) {
    return begins_name(c) || is_digit(c) || c == '-';
}

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    base::Result<std::vector<Token>> run() {
        std::vector<Token> tokens;
        for (;;) {
            while (at_ < text_.size() &&
                   std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
                ++at_;
            start_ = at_;
            if (at_ == text_.size())
                break;
            MITRAL_TRY(auto token, next());
            tokens.push_back(std::move(token));
        }
        tokens.push_back({Token::Kind::end, "", start_ + 1});
        return tokens;
    }

  private:
    base::Result<Token> next() {
        const char c = text_[at_];
        if (c == '\'' || c == '"')
            return quoted(c);
        if (text_.substr(at_).starts_with("[["))
            return bracketed();
        if (begins_name(c))
            return name();
        if (is_digit(c) || ((c == '-' || c == '.') && at_ + 1 < text_.size() &&
                            is_digit(text_[at_ + 1]) && !(c == '.' && after_name_)))
            return number();
        return symbol();
    }

    Token token(Token::Kind kind, std::string text) {
        after_name_ = kind == Token::Kind::name || kind == Token::Kind::quoted_name;
        return {kind, std::move(text), start_ + 1};
    }

    auto refused(std::string_view what) const {
        return base::fail(CloudError::invalid_argument,
                          "column " + std::to_string(start_ + 1) + ": " + std::string(what));
    }

    // A quote within is doubled, or stands behind a backslash.
    base::Result<Token> quoted(char quote) {
        std::string value;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            const bool more = at_ + 1 < text_.size();
            if (c == quote && !(more && text_[at_ + 1] == quote)) {
                ++at_;
                return token(Token::Kind::text, std::move(value));
            }
            const bool escape = c == quote || (c == '\\' && more &&
                                               (text_[at_ + 1] == quote || text_[at_ + 1] == '\\'));
            value += escape ? text_[++at_] : c;
        }
        return refused("text without an end");
    }

    base::Result<Token> bracketed() {
        const auto end = text_.find("]]", at_ + 2);
        if (end == std::string_view::npos || end == at_ + 2)
            return refused("[[name]] without a name or an end");
        const auto name = text_.substr(at_ + 2, end - at_ - 2);
        at_ = end + 2;
        return token(Token::Kind::quoted_name, std::string(name));
    }

    Token name() {
        while (at_ < text_.size() && goes_on_name(text_[at_]))
            ++at_;
        return token(Token::Kind::name, std::string(text_.substr(start_, at_ - start_)));
    }

    base::Result<Token> number() {
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            const bool sign = (c == '+' || c == '-') && (text_[at_ - 1] | 0x20) == 'e';
            if (!is_digit(c) && c != '.' && (c | 0x20) != 'e' && !sign)
                break;
        }
        if (at_ < text_.size() && goes_on_name(text_[at_]))
            return refused("number runs into a name");
        return token(Token::Kind::number, std::string(text_.substr(start_, at_ - start_)));
    }

    base::Result<Token> symbol() {
        constexpr std::array<std::string_view, 14> symbols{"!=", "<>", "<=", ">=", "=", "<", ">",
                                                           "(",  ")",  "[",  "]",  ",", ".", "*"};
        for (const auto known : symbols)
            if (text_.substr(at_).starts_with(known)) {
                at_ += known.size();
                return token(Token::Kind::symbol, std::string(known));
            }
        if (constexpr std::string_view operators = "+-/%";
            operators.find(text_[at_]) != std::string_view::npos)
            return arithmetic(start_ + 1);
        return refused("character that no query has");
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t start_ = 0;
    bool after_name_ = false;
};

}  // namespace

std::unexpected<base::Error> arithmetic(std::size_t column) {
    return base::fail(CloudError::not_supported,
                      "Arithmetic in queries (column " + std::to_string(column) + ")");
}

base::Result<std::vector<Token>> tokens_of(std::string_view text) {
    return Lexer(text).run();
}

}  // namespace mitral::cloud::query
