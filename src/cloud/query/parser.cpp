#include <algorithm>
#include <array>
#include <charconv>

#include "azure/text.hpp"
#include "cloud/error.hpp"
#include "cloud/query/functions.hpp"
#include "cloud/query/lexer.hpp"
#include "cloud/query/query.hpp"

namespace mitral::cloud::query {
namespace {

using azure::equal_ignoring_case;
using Kind = Expression::Kind;

class Parser {
  public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    base::Result<Query> run() {
        MITRAL_CHECK(expect("SELECT"));
        MITRAL_CHECK(read_top());
        MITRAL_CHECK(read_items());
        MITRAL_CHECK(expect("FROM"));
        MITRAL_CHECK(read_collection());
        if (take("WHERE")) {
            MITRAL_TRY(query_.where, condition());
        }
        if (take("GROUP"))
            MITRAL_CHECK(read_groups());
        if (is("*"))
            return arithmetic(now().column);
        if (now().kind != Token::Kind::end)
            return refused("expected the end, AND, OR or GROUP BY");
        MITRAL_CHECK(check_items());
        return std::move(query_);
    }

  private:
    const Token& now() const { return tokens_[at_]; }
    std::unexpected<base::Error> refused(std::string_view what) const {
        const auto found = now().kind == Token::Kind::end ? "the end" : azure::shown(now().text);
        return base::fail(CloudError::invalid_argument, "column " + std::to_string(now().column) +
                                                            ": " + std::string(what) + ", found " +
                                                            found);
    }
    bool is(std::string_view word) const {
        return (now().kind == Token::Kind::name && equal_ignoring_case(now().text, word)) ||
               (now().kind == Token::Kind::symbol && now().text == word);
    }
    bool take(std::string_view word) {
        const bool here = is(word);
        at_ += here ? 1 : 0;
        return here;
    }
    base::Status expect(std::string_view word) {
        if (!take(word))
            return refused("expected " + std::string(word));
        return {};
    }
    bool is_name() const {
        constexpr std::array<std::string_view, 12> reserved{
            "SELECT", "FROM", "WHERE", "GROUP", "BY", "AND", "OR", "NOT", "IN", "NIN", "AS", "TOP"};
        if (now().kind != Token::Kind::name)
            return now().kind == Token::Kind::quoted_name;
        return std::none_of(reserved.begin(), reserved.end(), [&](std::string_view word) {
            return equal_ignoring_case(word, now().text);
        });
    }

    base::Status read_top() {
        if (!take("TOP"))
            return {};
        std::size_t count = 0;
        const auto& text = now().text;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (now().kind != Token::Kind::number || error != std::errc() ||
            end != text.data() + text.size() || count == 0)
            return refused("expected a whole number above 0");
        query_.top = count;
        ++at_;
        return {};
    }

    base::Status read_items() {
        if (take("*")) {
            query_.everything = true;
            return {};
        }
        do {
            MITRAL_TRY(auto item, read_item());
            query_.items.push_back(std::move(item));
        } while (take(","));
        return {};
    }

    base::Result<Item> read_item() {
        if (!is_name())
            return refused("expected *, a property or an aggregate");
        Item item;
        const bool call =
            tokens_[at_ + 1].kind == Token::Kind::symbol && tokens_[at_ + 1].text == "(";
        if (call) {
            MITRAL_TRY(item, read_aggregate());
        } else {
            MITRAL_TRY(item.path, path());
            item.name = item.path.back();
        }
        if (take("AS")) {
            if (!is_name() && now().kind != Token::Kind::text)
                return refused("expected a name");
            item.name = tokens_[at_++].text;
        }
        return item;
    }

    base::Result<Item> read_aggregate() {
        constexpr std::array<std::pair<std::string_view, Item::Kind>, 5> aggregates{{
            {"COUNT", Item::Kind::count},
            {"SUM", Item::Kind::sum},
            {"AVG", Item::Kind::average},
            {"MIN", Item::Kind::minimum},
            {"MAX", Item::Kind::maximum},
        }};
        const auto known = std::find_if(
            aggregates.begin(), aggregates.end(),
            [&](const auto& entry) { return equal_ignoring_case(entry.first, now().text); });
        if (known == aggregates.end())
            return refused("expected COUNT, SUM, AVG, MIN or MAX");
        at_ += 2;
        Item item{.kind = known->second};
        if (item.kind != Item::Kind::count) {
            MITRAL_TRY(item.path, path());
        }
        MITRAL_CHECK(expect(")"));
        item.name = "$" + std::to_string(++unnamed_);
        return item;
    }

    base::Status read_collection() {
        if (!take("devices"))
            return refused("expected devices or devices.modules");
        if (!take("."))
            return {};
        if (is("jobs"))
            return base::fail(CloudError::not_supported, "Query of devices.jobs");
        if (!take("modules"))
            return refused("expected modules");
        query_.collection = Query::Collection::modules;
        return {};
    }

    base::Status read_groups() {
        MITRAL_CHECK(expect("BY"));
        do {
            MITRAL_TRY(auto group, path());
            query_.group_by.push_back(std::move(group));
        } while (take(","));
        return {};
    }

    base::Status check_items() const {
        if (!query_.aggregates())
            return {};
        const auto bad =
            std::find_if(query_.items.begin(), query_.items.end(), [&](const Item& item) {
                return item.kind == Item::Kind::path &&
                       std::find(query_.group_by.begin(), query_.group_by.end(), item.path) ==
                           query_.group_by.end();
            });
        if (query_.everything || bad != query_.items.end())
            return base::fail(CloudError::invalid_argument,
                              "column 1: with aggregates or GROUP BY, a property that is selected "
                              "stands in GROUP BY too");
        return {};
    }

    base::Result<Path> path() {
        Path names;
        do {
            if (!is_name() && (names.empty() || now().kind != Token::Kind::name))
                return refused("expected the name of a property");
            names.push_back(tokens_[at_++].text);
        } while (take("."));
        // devices.x and devices.modules.x say the same as x.
        if (names.size() > 1 && equal_ignoring_case(names[0], "devices"))
            names.erase(names.begin(),
                        names.begin() + (names.size() > 2 && names[1] == "modules" ? 2 : 1));
        return names;
    }

    base::Result<Expression> condition() {
        return chain(Kind::either, "OR",
                     [this] { return chain(Kind::both, "AND", [this] { return negation(); }); });
    }

    template <typename Operand>
    base::Result<Expression> chain(Kind kind, std::string_view word, Operand operand) {
        MITRAL_TRY(auto first, operand());
        if (!is(word))
            return first;
        Expression all{.kind = kind};
        all.operands.push_back(std::move(first));
        while (take(word)) {
            MITRAL_TRY(auto another, operand());
            all.operands.push_back(std::move(another));
        }
        return all;
    }

    base::Result<Expression> negation() {
        if (!take("NOT"))
            return comparison();
        MITRAL_CHECK(go_deeper());
        MITRAL_TRY(auto inner, negation());
        --depth_;
        Expression expression{.kind = Kind::negated};
        expression.operands.push_back(std::move(inner));
        return expression;
    }

    base::Result<Expression> comparison() {
        constexpr std::array<std::pair<std::string_view, Kind>, 7> operators{{
            {"=", Kind::equal},
            {"!=", Kind::different},
            {"<>", Kind::different},
            {"<", Kind::less},
            {"<=", Kind::at_most},
            {">", Kind::more},
            {">=", Kind::at_least},
        }};
        MITRAL_TRY(auto left, operand());
        for (const auto& [symbol, kind] : operators)
            if (take(symbol)) {
                MITRAL_TRY(auto right, operand());
                Expression expression{.kind = kind};
                expression.operands.push_back(std::move(left));
                expression.operands.push_back(std::move(right));
                return expression;
            }
        if (take("IN"))
            return among(std::move(left), Kind::among);
        if (take("NIN"))
            return among(std::move(left), Kind::not_among);
        if (take("NOT")) {
            MITRAL_CHECK(expect("IN"));
            return among(std::move(left), Kind::not_among);
        }
        return left;
    }

    base::Result<Expression> among(Expression value, Kind kind) {
        const bool round = is("(");
        if (!take("(") && !take("["))
            return refused("expected [");
        Expression expression{.kind = kind};
        expression.operands.push_back(std::move(value));
        do {
            MITRAL_TRY(auto literal, operand());
            expression.operands.push_back(std::move(literal));
        } while (take(","));
        MITRAL_CHECK(expect(round ? ")" : "]"));
        return expression;
    }

    base::Result<Expression> operand() {
        if (take("(")) {
            MITRAL_CHECK(go_deeper());
            MITRAL_TRY(auto inner, condition());
            --depth_;
            MITRAL_CHECK(expect(")"));
            return inner;
        }
        if (now().kind == Token::Kind::text)
            return Expression{.literal = tokens_[at_++].text};
        if (now().kind == Token::Kind::number)
            return number();
        if (is("true") || is("false"))
            return Expression{.literal = equal_ignoring_case(tokens_[at_++].text, "true")};
        if (take("null"))
            return Expression{};
        if (!is_name())
            return refused("expected a property, a value or a function");
        if (tokens_[at_ + 1].kind == Token::Kind::symbol && tokens_[at_ + 1].text == "(")
            return call();
        Expression expression{.kind = Kind::path};
        MITRAL_TRY(expression.path, path());
        return expression;
    }

    base::Result<Expression> number() {
        double value = 0;
        const auto& text = now().text;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            return refused("expected a number");
        ++at_;
        return Expression{.literal = value};
    }

    base::Result<Expression> call() {
        const auto* function = find_function(now().text);
        if (function == nullptr)
            return refused("expected one of " + function_names());
        Expression expression{.kind = Kind::call, .function = std::string(function->name)};
        at_ += 2;
        MITRAL_CHECK(go_deeper());
        for (std::size_t i = 0; i < function->arguments; ++i) {
            if (i > 0)
                MITRAL_CHECK(expect(","));
            MITRAL_TRY(auto argument, condition());
            expression.operands.push_back(std::move(argument));
        }
        --depth_;
        MITRAL_CHECK(expect(")"));
        return expression;
    }

    base::Status go_deeper() {
        if (++depth_ > max_nesting)
            return refused("expected no deeper nesting");
        return {};
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::size_t unnamed_ = 0;
    Query query_;
};

}  // namespace

bool Query::aggregates() const {
    return !group_by.empty() || std::any_of(items.begin(), items.end(), [](const Item& item) {
        return item.kind != Item::Kind::path;
    });
}

base::Result<Query> parse(std::string_view text) {
    if (text.size() > max_query)
        return base::fail(CloudError::invalid_argument,
                          "column 8193: a query has at most 8192 characters");
    MITRAL_TRY(auto tokens, tokens_of(text));
    return Parser(std::move(tokens)).run();
}

}  // namespace mitral::cloud::query
