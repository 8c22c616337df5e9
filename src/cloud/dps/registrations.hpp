// What DPS remembers of every registration, one row for each registration id. Rows go with their
// enrolment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/dps/enrollments.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::dps {

struct Registration {
    std::string id{};         // in lower case
    std::string operation{};  // the newest
    bool assigned = false;    // that operation is complete
    std::string hub{};        // of the last assignment; empty: there was none
    std::string device{};
    std::string etag{};
    std::string substatus{};
    std::string group{};  // of its enrolment; empty: an individual one
    Attestation attestation = Attestation::symmetric_key;
    base::WallTime created{};
    base::WallTime updated{};
};

class Registrations {
  public:
    explicit Registrations(store::Database& database) : database_(database) {}

    [[nodiscard]] base::Result<std::optional<Registration>> find(std::string_view id) const;
    [[nodiscard]] base::Status put(const Registration& registration);
    // `etag` "*" or "" matches any. Fails with not_found, stale_etag.
    [[nodiscard]] base::Status remove(std::string_view id, std::string_view etag);
    // Of one group, at most `limit` in the order of their ids, behind `after`.
    [[nodiscard]] base::Result<std::vector<Registration>> page(std::string_view group,
                                                               std::string_view after,
                                                               std::size_t limit) const;

  private:
    store::Database& database_;
};

}  // namespace mitral::cloud::dps
