#include "cloud/query/evaluate.hpp"

#include <algorithm>

#include "azure/text.hpp"
#include "cloud/error.hpp"
#include "cloud/query/functions.hpp"

namespace mitral::cloud::query {
namespace {

using Kind = Expression::Kind;

enum class Truth : std::uint8_t { no, unknown, yes };

Truth truth(bool value) {
    return value ? Truth::yes : Truth::no;
}

bool same_type(const Json& a, const Json& b) {
    return a.type() == b.type() || (a.is_number() && b.is_number());
}

Truth opposite(Truth value) {
    return value == Truth::unknown ? value : truth(value == Truth::no);
}

class Evaluation {
  public:
    explicit Evaluation(const Json& document) : document_(document) {}

    Truth truth_of(const Expression& expression) {
        const auto& operands = expression.operands;
        switch (expression.kind) {
            case Kind::both:
                return least(operands);
            case Kind::either:
                return most(operands);
            case Kind::negated:
                return opposite(truth_of(operands[0]));
            case Kind::among:
                return among(operands);
            case Kind::not_among:
                return opposite(among(operands));
            case Kind::path:
            case Kind::literal:
            case Kind::call: {
                const auto* value = value_of(expression);
                return value != nullptr && value->is_boolean() ? truth(value->get<bool>())
                                                               : Truth::unknown;
            }
            default:
                return compare(expression.kind, value_of(operands[0]), value_of(operands[1]));
        }
    }

  private:
    const Json* value_of(const Expression& expression) {
        switch (expression.kind) {
            case Kind::path:
                return value_at(document_, expression.path);
            case Kind::literal:
                return &expression.literal;
            case Kind::call: {
                const auto* function = find_function(expression.function);
                const auto* first = value_of(expression.operands[0]);
                const auto* second =
                    function->arguments > 1 ? value_of(expression.operands[1]) : nullptr;
                return function->apply(first, second, made_);
            }
            default: {
                const auto known = truth_of(expression);
                return known == Truth::unknown ? nullptr : &made_.emplace_back(known == Truth::yes);
            }
        }
    }

    // AND is the least of its operands in the order no < unknown < yes, OR the most.
    Truth least(const std::vector<Expression>& operands) {
        auto result = Truth::yes;
        for (const auto& operand : operands)
            if (result != Truth::no)
                result = std::min(result, truth_of(operand));
        return result;
    }
    Truth most(const std::vector<Expression>& operands) {
        auto result = Truth::no;
        for (const auto& operand : operands)
            if (result != Truth::yes)
                result = std::max(result, truth_of(operand));
        return result;
    }

    Truth among(const std::vector<Expression>& operands) {
        const auto* value = value_of(operands[0]);
        auto result = value == nullptr ? Truth::unknown : Truth::no;
        for (std::size_t i = 1; i < operands.size() && result == Truth::no; ++i)
            if (compare(Kind::equal, value, value_of(operands[i])) == Truth::yes)
                result = Truth::yes;
        return result;
    }

    static Truth compare(Kind kind, const Json* left, const Json* right) {
        if (left == nullptr || right == nullptr || left->is_structured() || right->is_structured())
            return Truth::unknown;
        if (kind == Kind::equal || kind == Kind::different)
            return truth((same_type(*left, *right) && *left == *right) == (kind == Kind::equal));
        if (!same_type(*left, *right) || left->is_null())
            return Truth::unknown;
        switch (kind) {
            case Kind::less:
                return truth(*left < *right);
            case Kind::at_most:
                return truth(*left <= *right);
            case Kind::more:
                return truth(*left > *right);
            default:
                return truth(*left >= *right);
        }
    }

    const Json& document_;
    std::deque<Json> made_;
};

// What the result calls a property: as the document spells it.
std::string result_name(const Item& item, const Json& document) {
    if (item.path.size() == 1 && item.name == item.path.front())
        for (const auto& [key, value] : document.items())
            if (azure::equal_ignoring_case(key, item.name))
                return key;
    return item.name;
}

}  // namespace

const Json* value_at(const Json& document, const Path& path) {
    const Json* value = nullptr;
    for (const auto& [key, inner] : document.items())
        if (azure::equal_ignoring_case(key, path.front()))
            value = &inner;
    for (std::size_t i = 1; value != nullptr && i < path.size(); ++i)
        value = member(*value, path[i]);
    return value;
}

bool matches(const Query& query, const Json& document) {
    return !query.where || Evaluation(document).truth_of(*query.where) == Truth::yes;
}

Json project(const Query& query, const Json& document) {
    if (query.everything)
        return document;
    Json row = Json::object();
    for (const auto& item : query.items)
        if (const auto* value = value_at(document, item.path))
            row[result_name(item, document)] = *value;
    return row;
}

base::Status Groups::add(const Json& document) {
    Json key = Json::array();
    for (const auto& path : query_.group_by) {
        const auto* value = value_at(document, path);
        key.push_back(value != nullptr ? Json::array({*value}) : Json::array());
    }
    const auto text = dump(key);
    const auto [place, is_new] = groups_.try_emplace(text);
    auto& group = place->second;
    if (is_new) {
        constexpr std::size_t row_item = 128;  // its total, and its member of the row
        bytes_ += 2 * text.size() + query_.items.size() * row_item;
        if (groups_.size() > max_groups || bytes_ > max_bytes)
            return base::fail(CloudError::invalid_argument, "more than 10000 groups, or 64 MiB");
        group.key = std::move(key);
        group.totals.resize(query_.items.size());
    }
    for (std::size_t i = 0; i < query_.items.size(); ++i) {
        auto& total = group.totals[i];
        const auto& item = query_.items[i];
        const auto* value = item.path.empty() ? nullptr : value_at(document, item.path);
        if (item.kind == Item::Kind::count)
            ++total.count;
        if (value == nullptr || !value->is_number())
            continue;
        const auto number = value->get<double>();
        total.least = total.count == 0 ? number : std::min(total.least, number);
        total.most = total.count == 0 ? number : std::max(total.most, number);
        total.sum += number;
        ++total.count;
    }
    return {};
}

Json Groups::row_of(const Group& group) const {
    Json row = Json::object();
    for (std::size_t i = 0; i < query_.items.size(); ++i) {
        const auto& item = query_.items[i];
        const auto& total = group.totals[i];
        if (item.kind == Item::Kind::path) {
            const auto at = std::find(query_.group_by.begin(), query_.group_by.end(), item.path);
            const auto& value =
                group.key[static_cast<std::size_t>(std::distance(query_.group_by.begin(), at))];
            if (!value.empty())
                row[item.name] = value[0];
        } else if (item.kind == Item::Kind::count) {
            row[item.name] = total.count;
        } else if (item.kind == Item::Kind::sum) {
            row[item.name] = total.sum;
        } else if (total.count > 0) {
            row[item.name] = item.kind == Item::Kind::minimum ? total.least
                             : item.kind == Item::Kind::maximum
                                 ? total.most
                                 : total.sum / static_cast<double>(total.count);
        }
    }
    return row;
}

std::vector<Json> Groups::rows() const {
    std::vector<Json> rows;
    for (const auto& [key, group] : groups_)
        rows.push_back(row_of(group));
    // Totals of nothing are one row, groups of nothing none.
    if (rows.empty() && query_.group_by.empty())
        rows.push_back(row_of({.totals = std::vector<Total>(query_.items.size())}));
    return rows;
}

}  // namespace mitral::cloud::query
