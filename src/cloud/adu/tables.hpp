// The tables of Device Update. Times are Unix milliseconds.
#pragma once

namespace mitral::cloud::store {

// `child`: provider/name/version.
inline constexpr const char* device_update_tables = R"sql(
CREATE TABLE adu_update (
    provider TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    import_manifest TEXT NOT NULL, device_manifest TEXT NOT NULL, friendly_name TEXT NOT NULL,
    imported INTEGER NOT NULL, etag TEXT NOT NULL,
    PRIMARY KEY (provider, name, version)) WITHOUT ROWID;
CREATE TABLE adu_file (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    file_name TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
    payload INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX adu_file_of_update ON adu_file (provider, name, version);
CREATE TABLE adu_reference (
    provider TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, child TEXT NOT NULL);
CREATE INDEX adu_reference_of_child ON adu_reference (child);
CREATE TABLE adu_operation (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    provider TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, error_code TEXT NOT NULL,
    error_message TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL);
)sql";

// `agent`, `diagnostics`: what was reported last, as JSON. Agents and what they did in deployments
// go with their identity: whoever comes back under its name is new.
inline constexpr const char* deployment_tables = R"sql(
CREATE TABLE adu_agent (
    device TEXT NOT NULL, module TEXT NOT NULL, class TEXT NOT NULL, grp TEXT NOT NULL,
    agent TEXT NOT NULL, diagnostics TEXT NOT NULL, PRIMARY KEY (device, module)) WITHOUT ROWID;
CREATE INDEX adu_agent_of_subgroup ON adu_agent (grp, class);
CREATE TRIGGER adu_agent_goes_with_device AFTER DELETE ON device
    BEGIN DELETE FROM adu_agent WHERE device = OLD.id;
    DELETE FROM adu_device_state WHERE device = OLD.id; END;
CREATE TRIGGER adu_agent_goes_with_module AFTER DELETE ON module
    BEGIN DELETE FROM adu_agent WHERE device = OLD.device AND module = OLD.id;
    DELETE FROM adu_device_state WHERE device = OLD.device AND module = OLD.id; END;
CREATE TABLE adu_class (
    id TEXT PRIMARY KEY, model TEXT NOT NULL, properties TEXT NOT NULL,
    friendly_name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE adu_group (id TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE adu_subgroup (
    grp TEXT NOT NULL, class TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (grp, class)) WITHOUT ROWID;
CREATE TABLE adu_deployment (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, grp TEXT NOT NULL, id TEXT NOT NULL,
    workflow TEXT NOT NULL, provider TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    starts INTEGER NOT NULL, UNIQUE (grp, id));
CREATE INDEX adu_deployment_of_workflow ON adu_deployment (workflow);
CREATE TABLE adu_subgroup_deployment (
    grp TEXT NOT NULL, class TEXT NOT NULL, deployment TEXT NOT NULL, state TEXT NOT NULL,
    retried TEXT NOT NULL, PRIMARY KEY (grp, class, deployment)) WITHOUT ROWID;
CREATE TABLE adu_device_state (
    grp TEXT NOT NULL, deployment TEXT NOT NULL, device TEXT NOT NULL, module TEXT NOT NULL,
    class TEXT NOT NULL, state TEXT NOT NULL, retries INTEGER NOT NULL, retried TEXT NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (grp, deployment, device, module)) WITHOUT ROWID;
CREATE INDEX adu_device_state_of_device ON adu_device_state (device, module);
CREATE TABLE adu_log_collection (
    id TEXT PRIMARY KEY, description TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE adu_log_device (
    collection TEXT NOT NULL, device TEXT NOT NULL, module TEXT NOT NULL, status TEXT NOT NULL,
    result_code TEXT NOT NULL, extended TEXT NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (collection, device, module)) WITHOUT ROWID;
)sql";

}  // namespace mitral::cloud::store
