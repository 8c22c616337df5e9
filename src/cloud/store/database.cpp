#include "cloud/store/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/file.hpp"
#include "cloud/error.hpp"
#include "cloud/store/schema.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::store {
namespace {

constexpr int busy_timeout_ms = 5'000;
constexpr std::string_view from_sqlite = "database: ";

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    (void)sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
    sqlite3_stmt* raw = nullptr;
    status_ = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    statement_.reset(raw);
}

Statement& Statement::bind(std::string_view value) {
    // Text that is nowhere would be bound as NULL, which equals nothing.
    const char* text = value.data() != nullptr ? value.data() : "";
    if (status_ == SQLITE_OK)
        status_ = sqlite3_bind_text64(statement_.get(), ++bound_, text, value.size(),
                                      SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind(std::int64_t value) {
    if (status_ == SQLITE_OK)
        status_ = sqlite3_bind_int64(statement_.get(), ++bound_, value);
    return *this;
}

base::Result<bool> Statement::step() {
    if (status_ != SQLITE_OK && status_ != SQLITE_ROW)
        return failure();
    status_ = sqlite3_step(statement_.get());
    if (status_ == SQLITE_ROW)
        return true;
    if (status_ == SQLITE_DONE)
        return false;
    return failure();
}

base::Result<std::int64_t> Statement::run() {
    MITRAL_TRY(const bool row, step());
    (void)row;
    return sqlite3_changes64(database_);
}

std::unexpected<base::Error> Statement::failure() const {
    return base::fail(CloudError::storage, std::string(from_sqlite) + sqlite3_errmsg(database_));
}

std::string Statement::text(int column) const {
    const auto* value =
        reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    if (value == nullptr)
        return {};
    return {value, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

void Database::Close::operator()(sqlite3* database) const noexcept {
    (void)sqlite3_close_v2(database);
}

base::Result<Database> Database::open(const std::string& path) {
    auto database = open_whole(path);
    if (!database && database.error().context.starts_with(from_sqlite))
        return base::fail_with(
            "open " + path +
                " (a damaged one is not repaired: put a copy back, or begin anew "
                "with another state directory)",
            database.error());
    return database;
}

base::Result<Database> Database::open_whole(const std::string& path) {
    {
        // Created here first: SQLite would make it readable to others. Closed before SQLite opens
        // it: a later close would release the locks that SQLite holds (fcntl(2)).
        MITRAL_TRY(const auto file, base::open_file(path, O_RDWR | O_CREAT, 0600));
    }
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    const int opened = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    Database database(raw);
    if (opened != SQLITE_OK)
        return base::fail(CloudError::storage, std::string(from_sqlite) + sqlite3_errstr(opened));
    (void)sqlite3_busy_timeout(raw, busy_timeout_ms);
    MITRAL_CHECK(database.execute(settings));
    MITRAL_CHECK(database.migrate());
    return database;
}

base::Result<std::int64_t> Database::steps_done() const {
    auto query = prepare("PRAGMA user_version");
    MITRAL_TRY(const bool row, query.step());
    return row ? query.integer(0) : 0;
}

base::Status Database::migrate() {
    MITRAL_TRY(const auto done, steps_done());
    if (done == std::ssize(steps))
        return {};
    // Asked again under the lock: server and command line may both be the first.
    MITRAL_TRY(auto transaction, Transaction::begin(*this));
    MITRAL_TRY(const auto first, steps_done());
    if (first > std::ssize(steps))
        return base::fail(CloudError::storage,
                          "the state directory belongs to a newer mitral-cloud; use that one");
    for (auto step = first; step < std::ssize(steps); ++step) {
        MITRAL_CHECK(execute(steps[static_cast<std::size_t>(step)]));
        MITRAL_CHECK(execute(("PRAGMA user_version = " + std::to_string(step + 1)).c_str()));
    }
    return transaction.commit();
}

base::Status Database::execute(const char* sql) {
    if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return base::fail(CloudError::storage,
                          std::string(from_sqlite) + sqlite3_errmsg(database_.get()));
    return {};
}

base::Result<std::optional<std::string>> Database::fact(std::string_view name) const {
    auto query = prepare("SELECT value FROM fact WHERE name = ?");
    MITRAL_TRY(const bool found, query.bind(name).step());
    if (!found)
        return std::nullopt;
    return query.text(0);
}

base::Status Database::set_fact(std::string_view name, std::string_view value) {
    auto insert = prepare(
        "INSERT INTO fact (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    MITRAL_TRY(const auto changed, insert.bind(name).bind(value).run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::store
