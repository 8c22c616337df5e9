// Private to cloud/adu: whole results of queries.
#pragma once

#include <vector>

#include "cloud/store/database.hpp"

namespace mitral::cloud::adu {

template <typename Row, typename Read>
[[nodiscard]] base::Result<std::vector<Row>> read_rows(store::Statement& query, Read read) {
    std::vector<Row> found;
    for (;;) {
        MITRAL_TRY(const bool more, query.step());
        if (!more)
            return found;
        found.push_back(read(query));
    }
}

[[nodiscard]] inline base::Status run(store::Statement& statement) {
    MITRAL_TRY(const auto changed, statement.run());
    (void)changed;
    return {};
}

}  // namespace mitral::cloud::adu
