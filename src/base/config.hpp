// /etc/mitral/mitral.toml: one table per program, unknown keys are errors, every default documented
// in docs/configuration.md. A room reads its own table through Table and calls finish() at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::base {

// One table of the file. Getters collect the first error (wrong type, out of range) instead of
// returning it, so that a room's reader stays a list of settings; finish() reports it.
class Table {
  public:
    Table(Table&&) noexcept;
    Table& operator=(Table&&) noexcept;
    ~Table();

    [[nodiscard]] std::string text(std::string_view key, std::string_view fallback);
    [[nodiscard]] std::string required_text(std::string_view key);
    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback,
                                       std::int64_t minimum, std::int64_t maximum);
    [[nodiscard]] bool boolean(std::string_view key, bool fallback);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key,
                                                 std::vector<std::string> fallback = {});
    // An integer with its unit in the key's name: renew_s, idle_ms.
    [[nodiscard]] Milliseconds seconds(std::string_view key, Milliseconds fallback,
                                       Milliseconds minimum, Milliseconds maximum);
    // A table of texts under names of the user's choice: beds = { "ICU^^7" = "icu-7" }.
    [[nodiscard]] std::map<std::string, std::string, std::less<>> text_map(std::string_view key);
    // A table inside this one (empty when absent); call its finish() too.
    [[nodiscard]] Table table(std::string_view key);
    [[nodiscard]] std::vector<Table> tables(std::string_view key);  // an array of tables

    // What the room itself finds wrong with a value; finish() reports it with its line.
    void reject(std::string_view key, std::string_view what);
    // The first error met, or the first key nobody asked for, with the line it stands on.
    [[nodiscard]] Status finish();

  private:
    friend class Config;
    struct State;
    explicit Table(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

class Config {
  public:
    static constexpr std::size_t max_file_size = 256 * 1024;

    [[nodiscard]] static Result<Config> load(const std::string& path);
    [[nodiscard]] static Result<Config> parse(std::string_view text, std::string_view name);
    Config(Config&&) noexcept;
    Config& operator=(Config&&) noexcept;
    ~Config();

    // The table of one program; empty when the file has none.
    [[nodiscard]] Table table(std::string_view program) const;
    // An array of tables at the top of the file ([[name]]); none when it is absent or something
    // else.
    [[nodiscard]] std::vector<Table> tables(std::string_view name) const;
    // Everything at the top of the file, sorted: `mitral verify-config` finds misspelt programs
    // with it.
    [[nodiscard]] std::vector<std::string> names() const;

  private:
    struct State;
    explicit Config(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace mitral::base
