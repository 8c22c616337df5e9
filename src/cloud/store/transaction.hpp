#pragma once

#include <utility>

#include "cloud/store/database.hpp"

namespace mitral::cloud::store {

// All or nothing for what is written until commit(); undone when it goes without. Does not nest.
class Transaction {
  public:
    [[nodiscard]] static base::Result<Transaction> begin(Database& database) {
        MITRAL_CHECK(database.execute("BEGIN IMMEDIATE"));
        return Transaction(database);
    }
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction() {
        if (database_ != nullptr)
            (void)database_->execute("ROLLBACK");
    }

    [[nodiscard]] base::Status commit() {
        MITRAL_CHECK(database_->execute("COMMIT"));
        database_ = nullptr;
        return {};
    }

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

}  // namespace mitral::cloud::store
