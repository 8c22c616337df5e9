// Long-running operations on updates, as the service shows them: imports and deletions. Kept for
// seven days.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/adu/import_manifest.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::adu {

struct Operation {
    std::string id{};
    std::string status = "NotStarted";  // Running, Succeeded, Failed
    UpdateId update{};                  // empty until it is known
    std::string error_code{};
    std::string error_message{};
    base::WallTime created{};
    base::WallTime updated{};
};

class Operations {
  public:
    Operations(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    [[nodiscard]] base::Result<Operation> begin();
    [[nodiscard]] base::Status save(Operation& operation);  // with the time of now
    [[nodiscard]] base::Result<std::optional<Operation>> find(std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Operation>> list() const;  // newest first
    // Those that a server that died left behind.
    [[nodiscard]] base::Status fail_unfinished();

  private:
    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::adu
