#include "base/config.hpp"

#include <fmt/format.h>

#include <limits>
#include <set>

// toml++ throws by default; here its parser returns a value, so nothing needs catching. Debian's
// shared library is the throwing kind, hence header-only.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// It asserts at "[," and reports it properly behind the assertion.
#define TOML_ASSERT(expr) static_assert(true)
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
#include <toml++/toml.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#include "base/errors.hpp"
#include "base/file.hpp"
#include "base/toml_alphabet.hpp"

namespace mitral::base {
namespace {

std::string place(const std::string& file, const toml::source_region& region) {
    return fmt::format("{} line {}", file, region.begin.line);
}

}  // namespace

struct Table::State {
    std::shared_ptr<const toml::table> root;  // keeps the nodes alive
    const toml::table* table = nullptr;       // null: the table is absent
    std::string file;
    std::string name;
    std::set<std::string, std::less<>> asked;
    std::optional<Error> error;

    void complain(const toml::node* at, std::string_view key, std::string_view what) {
        if (error)
            return;
        const std::string where = at != nullptr ? place(file, at->source()) : file;
        error = Error{BaseError::invalid_setting,
                      fmt::format("{}: {} in [{}] {}", where, key, name, what)};
    }
    const toml::node* find(std::string_view key) {
        asked.emplace(key);
        return table != nullptr ? table->get(key) : nullptr;
    }
    // The value under `key`, or nullopt when it is absent or of another type (which is complained
    // of).
    template <typename T>
    std::optional<T> value(std::string_view key, std::string_view expected) {
        const toml::node* node = find(key);
        if (node == nullptr)
            return std::nullopt;
        std::optional<T> exact = node->value_exact<T>();
        if (!exact)
            complain(node, key, expected);
        return exact;
    }
    [[nodiscard]] std::unique_ptr<State> child(const toml::table* inner,
                                               std::string_view key) const {
        auto state = std::make_unique<State>();
        state->root = root;
        state->table = inner;
        state->file = file;
        state->name = name.empty() ? std::string(key) : name + "." + std::string(key);
        return state;
    }
};

Table::Table(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;
Table::~Table() = default;

std::string Table::text(std::string_view key, std::string_view fallback) {
    return state_->value<std::string>(key, "must be a text in quotes")
        .value_or(std::string(fallback));
}

std::string Table::required_text(std::string_view key) {
    auto value = text(key, "");
    if (value.empty() && !state_->error)
        state_->complain(nullptr, key, "is missing; see docs/configuration.md");
    return value;
}

std::int64_t Table::integer(std::string_view key, std::int64_t fallback, std::int64_t minimum,
                            std::int64_t maximum) {
    const auto value = state_->value<std::int64_t>(key, "must be a whole number");
    if (!value)
        return fallback;
    if (*value < minimum || *value > maximum) {
        state_->complain(state_->table->get(key), key,
                         fmt::format("must be between {} and {}", minimum, maximum));
        return fallback;
    }
    return *value;
}

bool Table::boolean(std::string_view key, bool fallback) {
    return state_->value<bool>(key, "must be true or false").value_or(fallback);
}

std::vector<std::string> Table::texts(std::string_view key, std::vector<std::string> fallback) {
    const toml::node* node = state_->find(key);
    if (node == nullptr)
        return fallback;
    std::vector<std::string> out;
    const toml::array* items = node->as_array();
    if (items == nullptr) {
        state_->complain(node, key, "must be a list of texts");
        return fallback;
    }
    for (const toml::node& item : *items) {
        const auto value = item.value_exact<std::string>();
        if (!value) {
            state_->complain(&item, key, "must be a list of texts");
            return fallback;
        }
        out.push_back(*value);
    }
    return out;
}

std::map<std::string, std::string, std::less<>> Table::text_map(std::string_view key) {
    std::map<std::string, std::string, std::less<>> out;
    const toml::node* node = state_->find(key);
    if (node == nullptr)
        return out;
    const toml::table* inner = node->as_table();
    if (inner == nullptr) {
        state_->complain(node, key, "must be a table of texts");
        return out;
    }
    for (const auto& [name, item] : *inner) {
        const auto value = item.value_exact<std::string>();
        if (value)
            out.emplace(name.str(), *value);
        else
            state_->complain(&item, key, "must be a table of texts");
    }
    return out;
}

Milliseconds Table::seconds(std::string_view key, Milliseconds fallback, Milliseconds minimum,
                            Milliseconds maximum) {
    constexpr std::int64_t ms = 1000;
    return Milliseconds(
        integer(key, fallback.count() / ms, minimum.count() / ms, maximum.count() / ms) * ms);
}

Table Table::table(std::string_view key) {
    const toml::node* node = state_->find(key);
    const toml::table* inner = node != nullptr ? node->as_table() : nullptr;
    if (node != nullptr && inner == nullptr)
        state_->complain(node, key, "must be a table");
    return Table(state_->child(inner, key));
}

std::vector<Table> Table::tables(std::string_view key) {
    std::vector<Table> out;
    const toml::node* node = state_->find(key);
    if (node == nullptr)
        return out;
    const toml::array* items = node->as_array();
    if (items == nullptr) {
        state_->complain(node, key, "must be a list of tables ([[…]])");
        return out;
    }
    for (const toml::node& item : *items) {
        const toml::table* inner = item.as_table();
        if (inner == nullptr) {
            state_->complain(&item, key, "must be a list of tables ([[…]])");
            return out;
        }
        out.push_back(Table(state_->child(inner, key)));
    }
    return out;
}

void Table::reject(std::string_view key, std::string_view what) {
    const toml::node* at = state_->find(key);
    state_->complain(at != nullptr ? at : state_->table, key, what);
}

Status Table::finish() {
    if (!state_->error && state_->table != nullptr) {
        for (const auto& [key, node] : *state_->table) {
            if (!state_->asked.contains(key.str())) {
                state_->complain(&node, key.str(),
                                 "is not a known setting; see docs/configuration.md");
                break;
            }
        }
    }
    if (state_->error)
        return std::unexpected(*state_->error);
    return {};
}

struct Config::State {
    std::shared_ptr<const toml::table> root;
    std::string file;
};

Config::Config(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;
Config::~Config() = default;

Result<Config> Config::load(const std::string& path) {
    auto text = read_text_file(path, max_file_size);
    if (!text)
        return fail_with(
            "read the configuration (name it with --config; share/mitral.toml is one to begin "
            "with)",
            text.error());
    return parse(*text, path);
}

Result<Config> Config::parse(std::string_view text, std::string_view name) {
    if (const auto line = line_no_parser_may_see(text))
        return fail(
            BaseError::invalid_setting,
            fmt::format("{} line {}: a control character or one beyond ASCII; write plain text",
                        name, *line));
    toml::parse_result parsed = toml::parse(text, name);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        return fail(
            BaseError::invalid_setting,
            fmt::format("{}: {}", place(std::string(name), error.source()), error.description()));
    }
    auto state = std::make_unique<State>();
    state->root = std::make_shared<const toml::table>(std::move(parsed).table());
    state->file = name;
    return Config(std::move(state));
}

Table Config::table(std::string_view program) const {
    auto state = std::make_unique<Table::State>();
    state->root = state_->root;
    state->file = state_->file;
    state->name = program;
    const toml::node* node = state_->root->get(program);
    state->table = node != nullptr ? node->as_table() : nullptr;
    if (node != nullptr && state->table == nullptr)
        state->complain(node, program, "must be a table");
    return Table(std::move(state));
}

std::vector<Table> Config::tables(std::string_view name) const {
    auto top = std::make_unique<Table::State>();
    top->root = state_->root;
    top->file = state_->file;
    top->table = state_->root.get();
    Table all(std::move(top));
    return all.tables(name);
}

std::vector<std::string> Config::names() const {
    std::vector<std::string> out;
    for (const auto& [key, node] : *state_->root)
        out.emplace_back(key.str());
    return out;
}

}  // namespace mitral::base
