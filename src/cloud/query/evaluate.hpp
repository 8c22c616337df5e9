// Private to cloud: a query over documents.
#pragma once

#include <map>
#include <optional>

#include "cloud/query/query.hpp"

namespace mitral::cloud::query {

// Null when the document has no such property. Names of the top level (deviceId) match in any case,
// as IoT Hub takes them; all others as they are written.
[[nodiscard]] const Json* value_at(const Json& document, const Path& path);

// The condition is true; what cannot be compared or is not there makes it neither true nor false.
[[nodiscard]] bool matches(const Query& query, const Json& document);

// The selected items of one document; what it lacks is left out. Precondition: no aggregates.
[[nodiscard]] Json project(const Query& query, const Json& document);

// Rows of a query that aggregates.
class Groups {
  public:
    static constexpr std::size_t max_groups = 10'000;
    static constexpr std::size_t max_bytes = 64 * 1024 * 1024;  // of all groups, about

    explicit Groups(const Query& query) : query_(query) {}
    // Fails with invalid_argument above max_groups or max_bytes.
    [[nodiscard]] base::Status add(const Json& document);
    [[nodiscard]] std::vector<Json> rows() const;

  private:
    struct Total {
        std::size_t count = 0;  // of documents; for SUM and its kin: of numbers
        double sum = 0;
        double least = 0;
        double most = 0;
    };
    struct Group {
        Json key = Json::array();  // one entry a path of GROUP BY: [value], or [] when undefined
        std::vector<Total> totals{};
    };
    [[nodiscard]] Json row_of(const Group& group) const;

    const Query& query_;
    std::map<std::string, Group> groups_;
    std::size_t bytes_ = 0;
};

}  // namespace mitral::cloud::query
