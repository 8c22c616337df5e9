// SQLite as values and results: prepared statements, transactions, no exceptions. Single-threaded;
// another process (the command line beside a running server) may use the same file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace mitral::cloud::store {

class Statement {
  public:
    Statement(sqlite3* database, std::string_view sql);
    Statement(Statement&&) noexcept = default;
    Statement& operator=(Statement&&) noexcept = default;

    // In the order of the question marks. The text is copied.
    Statement& bind(std::string_view value);
    Statement& bind(std::int64_t value);

    // True when there is a row to read; the first failure of prepare, bind or step comes out here.
    [[nodiscard]] base::Result<bool> step();
    // For statements without rows; yields how many rows were changed.
    [[nodiscard]] base::Result<std::int64_t> run();

    [[nodiscard]] std::string text(int column) const;  // empty for NULL
    [[nodiscard]] std::int64_t integer(int column) const;

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    [[nodiscard]] std::unexpected<base::Error> failure() const;

    sqlite3* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bound_ = 0;
    int status_ = 0;
};

class Database {
  public:
    // Creates the file (mode 0600) and the tables that are missing. Fails when a newer program has
    // already added tables that this one does not know.
    [[nodiscard]] static base::Result<Database> open(const std::string& path);

    [[nodiscard]] Statement prepare(std::string_view sql) const { return {database_.get(), sql}; }
    [[nodiscard]] base::Status execute(const char* sql);

    // Small facts of this installation: id scope, keys, host names.
    [[nodiscard]] base::Result<std::optional<std::string>> fact(std::string_view name) const;
    [[nodiscard]] base::Status set_fact(std::string_view name, std::string_view value);

  private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };
    explicit Database(sqlite3* database) : database_(database) {}
    [[nodiscard]] static base::Result<Database> open_whole(const std::string& path);
    [[nodiscard]] base::Status migrate();
    [[nodiscard]] base::Result<std::int64_t> steps_done() const;

    std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace mitral::cloud::store
