#pragma once

#include "base/result.hpp"
#include "cloud/metrics/exposition.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::metrics {

// How much of what lies in the database: one aggregate for each family, at each scrape.
[[nodiscard]] base::Status add_inventory(Exposition& out, const store::Database& database);

// Memory, processor time and start of this process; what cannot be read is left out.
void add_process(Exposition& out, std::int64_t started_ms);

}  // namespace mitral::cloud::metrics
