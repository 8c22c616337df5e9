#pragma once

namespace mitral::cloud::store {

// `body`: what is to be done, as JSON. Targets are there from when a job runs to its end; then only
// their numbers stay.
inline constexpr const char* job_tables = R"sql(
CREATE TABLE job (
    id TEXT PRIMARY KEY, type TEXT NOT NULL, status TEXT NOT NULL, condition TEXT NOT NULL,
    body TEXT NOT NULL, created INTEGER NOT NULL, starts INTEGER NOT NULL, ended INTEGER NOT NULL,
    max_seconds INTEGER NOT NULL, reason TEXT NOT NULL, devices INTEGER NOT NULL,
    succeeded INTEGER NOT NULL, failed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX job_of_status ON job (status, starts);
CREATE TABLE job_target (
    job TEXT NOT NULL, device TEXT NOT NULL, module TEXT NOT NULL, status TEXT NOT NULL,
    PRIMARY KEY (job, device, module)) WITHOUT ROWID;
CREATE INDEX job_target_of_status ON job_target (job, status);
)sql";

}  // namespace mitral::cloud::store
