// A monitor's own books: what was acknowledged to it, what never was, what was refused. The ledger
// reads them (scripts/demo/ledger.py).
#pragma once

#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "bedside/monitor.hpp"

namespace mitral::bedside {

class Book {
  public:
    // Makes <directory>/<source>.acked.jsonl, or goes on with it, and <source>.identity.json: the
    // patient that nothing may give away.
    [[nodiscard]] static base::Result<Book> open(const std::string& directory,
                                                 const std::string& source, const Person& person,
                                                 bool times);

    // `at`, `sent`: Unix time.
    void acknowledged(const Monitor& monitor, const Message& message, base::WallTime sent,
                      base::WallTime at);
    [[nodiscard]] base::Status refused(const Message& message, std::string_view reason,
                                       base::WallTime at);
    // At the end: what was sent and has no answer.
    [[nodiscard]] base::Status pending(const Monitor& monitor, const Message& message,
                                       base::WallTime sent);
    // Rows reach the file here.
    [[nodiscard]] base::Status flush();

  private:
    Book() = default;
    [[nodiscard]] base::Status append(std::string_view suffix, std::string_view rows) const;

    std::string stem_;
    std::string source_;
    base::UniqueFd acked_;
    base::UniqueFd times_;
    std::string rows_;
    std::string time_rows_;
};

}  // namespace mitral::bedside
