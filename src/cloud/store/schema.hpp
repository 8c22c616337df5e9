// The tables of one local Azure. Times are Unix milliseconds; keys are base64, as the service API
// shows them.
#pragma once

#include <array>

#include "cloud/adu/tables.hpp"
#include "cloud/jobs/tables.hpp"

namespace mitral::cloud::store {

// WAL: the command line reads and writes beside a running server. NORMAL survives the death of the
// process; a power cut may undo the newest changes, never tear them.
inline constexpr const char* settings =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
    "PRAGMA foreign_keys = ON;";

inline constexpr const char* first_tables = R"sql(
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS policy (
    service TEXT NOT NULL, name TEXT NOT NULL, rights INTEGER NOT NULL,
    primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,
    PRIMARY KEY (service, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device (
    id TEXT PRIMARY KEY, generation TEXT NOT NULL, etag TEXT NOT NULL,
    enabled INTEGER NOT NULL, status_reason TEXT NOT NULL, status_updated INTEGER NOT NULL,
    auth_type TEXT NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,
    edge INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscription (
    client TEXT NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL,
    PRIMARY KEY (client, filter)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (client TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS enrollment (
    kind TEXT NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL, etag TEXT NOT NULL,
    enabled INTEGER NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL,
    PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS registration (
    id TEXT PRIMARY KEY, operation TEXT NOT NULL, status TEXT NOT NULL, hub TEXT NOT NULL,
    device TEXT NOT NULL, etag TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
)sql";

// What a twin holds beside its device; a row appears with the first change. `module` is empty for
// the device itself. Deleting a device takes its twins; replacing its row (an update) does not fire
// the trigger, as recursive_triggers is off.
inline constexpr const char* twin_tables = R"sql(
CREATE TABLE twin (
    device TEXT NOT NULL, module TEXT NOT NULL, etag INTEGER NOT NULL, version INTEGER NOT NULL,
    model TEXT NOT NULL, tags TEXT NOT NULL,
    desired TEXT NOT NULL, desired_metadata TEXT NOT NULL, desired_version INTEGER NOT NULL,
    reported TEXT NOT NULL, reported_metadata TEXT NOT NULL, reported_version INTEGER NOT NULL,
    PRIMARY KEY (device, module)) WITHOUT ROWID;
CREATE TRIGGER twin_goes_with_device AFTER DELETE ON device
    BEGIN DELETE FROM twin WHERE device = OLD.id; END;
ALTER TABLE enrollment ADD COLUMN initial_twin TEXT NOT NULL DEFAULT '';
)sql";

// They go with their device, as twins do.
inline constexpr const char* module_tables = R"sql(
CREATE TABLE module (
    device TEXT NOT NULL, id TEXT NOT NULL, generation TEXT NOT NULL, etag TEXT NOT NULL,
    managed_by TEXT NOT NULL, primary_key TEXT NOT NULL, secondary_key TEXT NOT NULL,
    PRIMARY KEY (device, id)) WITHOUT ROWID;
CREATE TRIGGER module_goes_with_device AFTER DELETE ON device
    BEGIN DELETE FROM module WHERE device = OLD.id; END;
)sql";

// Messages to devices until they are settled, what became of them, and from which message on an
// MQTT subscription delivers. Bodies are base64, properties a bag as in a topic.
inline constexpr const char* devicebound_tables = R"sql(
CREATE TABLE devicebound (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, lock TEXT NOT NULL,
    locked_until INTEGER NOT NULL, deliveries INTEGER NOT NULL, enqueued INTEGER NOT NULL,
    expires INTEGER NOT NULL, packet_id INTEGER NOT NULL, message_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL, user_id TEXT NOT NULL, content_type TEXT NOT NULL,
    content_encoding TEXT NOT NULL, properties TEXT NOT NULL, body TEXT NOT NULL,
    ack INTEGER NOT NULL);
CREATE INDEX devicebound_of_device ON devicebound (device, sequence);
CREATE TABLE feedback (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, message_id TEXT NOT NULL,
    device TEXT NOT NULL, generation TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE devicebound_subscription (client TEXT PRIMARY KEY, first INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER devicebound_goes_with_device AFTER DELETE ON device
    BEGIN DELETE FROM devicebound WHERE device = OLD.id; END;
)sql";

// As with devices: an update of the module replaces its row and fires nothing.
inline constexpr const char* module_twins = R"sql(
CREATE TRIGGER twin_goes_with_module AFTER DELETE ON module
    BEGIN DELETE FROM twin WHERE device = OLD.device AND module = OLD.id; END;
)sql";

// Identities and enrolments with certificates, and the authorities that are believed. Certificates
// are PEM; of an enrolment they are its clients' or its authorities', references name authorities.
inline constexpr const char* certificate_tables = R"sql(
CREATE TABLE authority (
    name TEXT PRIMARY KEY, certificate TEXT NOT NULL, added INTEGER NOT NULL) WITHOUT ROWID;
ALTER TABLE device ADD COLUMN primary_thumbprint TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN secondary_thumbprint TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN auth_type TEXT NOT NULL DEFAULT 'sas';
ALTER TABLE module ADD COLUMN primary_thumbprint TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN secondary_thumbprint TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment ADD COLUMN attestation TEXT NOT NULL DEFAULT 'symmetricKey';
ALTER TABLE enrollment ADD COLUMN primary_certificate TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment ADD COLUMN secondary_certificate TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment ADD COLUMN primary_reference TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment ADD COLUMN secondary_reference TEXT NOT NULL DEFAULT '';
)sql";

// What enrolments say about hubs (host names, separated by commas) and about registering again, and
// what a registration came to.
inline constexpr const char* provisioning_tables = R"sql(
ALTER TABLE enrollment ADD COLUMN updates_hub_assignment INTEGER NOT NULL DEFAULT 1;
ALTER TABLE enrollment ADD COLUMN migrates_device_data INTEGER NOT NULL DEFAULT 1;
ALTER TABLE enrollment ADD COLUMN allocation TEXT NOT NULL DEFAULT 'hashed';
ALTER TABLE enrollment ADD COLUMN hubs TEXT NOT NULL DEFAULT '';
ALTER TABLE enrollment ADD COLUMN edge INTEGER NOT NULL DEFAULT 0;
ALTER TABLE registration ADD COLUMN substatus TEXT NOT NULL DEFAULT 'initialAssignment';
ALTER TABLE registration ADD COLUMN enrollment_group TEXT NOT NULL DEFAULT '';
ALTER TABLE registration ADD COLUMN attestation TEXT NOT NULL DEFAULT 'symmetricKey';
CREATE INDEX registration_of_group ON registration (enrollment_group, id);
CREATE TRIGGER registrations_go_with_group AFTER DELETE ON enrollment WHEN OLD.kind = 'group'
    BEGIN DELETE FROM registration WHERE enrollment_group = OLD.id; END;
CREATE TRIGGER registration_goes_with_entry AFTER DELETE ON enrollment WHEN OLD.kind = 'individual'
    BEGIN DELETE FROM registration WHERE enrollment_group = '' AND id = OLD.id; END;
)sql";

// A new identity of an old name finds no session of the old one. Client ids are "device" or
// "device/module"; '0' follows '/', so the range holds the modules and nothing else.
inline constexpr const char* session_triggers = R"sql(
CREATE TRIGGER sessions_go_with_device AFTER DELETE ON device BEGIN
    DELETE FROM session WHERE client = OLD.id OR (client > OLD.id || '/' AND client < OLD.id || '0');
    DELETE FROM subscription WHERE client = OLD.id OR (client > OLD.id || '/' AND client < OLD.id || '0');
    DELETE FROM devicebound_subscription WHERE client = OLD.id;
END;
CREATE TRIGGER session_goes_with_module AFTER DELETE ON module BEGIN
    DELETE FROM session WHERE client = OLD.device || '/' || OLD.id;
    DELETE FROM subscription WHERE client = OLD.device || '/' || OLD.id;
END;
)sql";

// Each step runs once and in order; PRAGMA user_version counts those done. Append only.
inline constexpr std::array steps{first_tables,        twin_tables,          module_tables,
                                  devicebound_tables,  module_twins,         certificate_tables,
                                  provisioning_tables, device_update_tables, deployment_tables,
                                  job_tables,          session_triggers};

}  // namespace mitral::cloud::store
