// Device Provisioning Service, device side: what is said over HTTPS and MQTT, as plain structures.
// Bodies are JSON; the parsers take hostile text (≤ 64 KiB, ≤ 16 levels) and fail with
// malformed_answer or too_large.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace mitral::azure {

constexpr std::string_view dps_api_version = "2021-06-01";
constexpr std::size_t max_dps_body = 64 * 1024;

// --- HTTPS paths (RFC 3986, names percent-encoded)
// ---------------------------------------------------
// "/{scope}/registrations/{id}/register?api-version=2021-06-01"
[[nodiscard]] std::string dps_register_path(std::string_view id_scope,
                                            std::string_view registration);
// "/{scope}/registrations/{id}/operations/{operation}?api-version=2021-06-01"
[[nodiscard]] std::string dps_operation_path(std::string_view id_scope,
                                             std::string_view registration,
                                             std::string_view operation);

// --- Bodies
// -----------------------------------------------------------------------------------------------
struct RegisterRequest {
    std::string registration_id;  // may be empty: some clients send no body
    std::string payload;          // JSON text handed to custom allocation; empty: none
    std::string csr;              // base64 PKCS#10, previews only
};
[[nodiscard]] std::string register_request_json(const RegisterRequest& request);
[[nodiscard]] base::Result<RegisterRequest> parse_register_request(std::string_view json);

enum class RegistrationStatus : std::uint8_t { unassigned, assigning, assigned, failed, disabled };
[[nodiscard]] std::string_view to_string(RegistrationStatus status) noexcept;

// The answer to register and to operation look-ups, whatever the state.
struct RegistrationAnswer {
    std::string operation_id;
    RegistrationStatus status = RegistrationStatus::unassigned;
    std::string registration_id;
    std::string assigned_hub;     // lower case; set and checked when assigned
    std::string device_id;        // set and checked when assigned
    std::string substatus;        // "initialAssignment", …
    std::string attestation;      // "symmetricKey", "x509", "tpm"; empty when not told
    std::int64_t error_code = 0;  // when failed, e.g. 400207
    std::string error_message;
    std::string created;  // RFC 3339, as told
    std::string last_updated;
    std::string etag;
    std::string payload;             // JSON text from custom allocation
    std::string connection_profile;  // a hub of another protocol generation; empty: classic
};
[[nodiscard]] std::string registration_answer_json(const RegistrationAnswer& answer);
[[nodiscard]] base::Result<RegistrationAnswer> parse_registration_answer(std::string_view json);

// {"errorCode":401002,"trackingId":"…","message":"Unauthorized","timestampUtc":"…"}
struct ServiceError {
    std::int64_t code = 0;
    std::string tracking_id;
    std::string message;
    std::string timestamp;
};
[[nodiscard]] std::string service_error_json(const ServiceError& error);
[[nodiscard]] base::Result<ServiceError> parse_service_error(std::string_view json);

// The `retry-after` of an answer: whole seconds, clamped to 1…300; 2 s when absent or unreadable.
[[nodiscard]] base::Seconds retry_after(std::optional<std::string_view> header) noexcept;

// --- MQTT (only the local Azure speaks it: a gateway registers over HTTPS)
// -----------------------------
struct DpsUsername {
    std::string id_scope;
    std::string registration_id;
    std::string api_version;
    std::string client_version;
};
// "{scope}/registrations/{id}/api-version=…&ClientVersion=…", with an optional '?' before the
// parameters.
[[nodiscard]] base::Result<DpsUsername> parse_dps_username(std::string_view text);
[[nodiscard]] bool is_dps_username(std::string_view text) noexcept;

struct DpsTopic {
    enum class Kind : std::uint8_t { enroll, look_up };
    Kind kind = Kind::enroll;
    std::string request_id;    // `$rid`, raw: goes back as it came
    std::string operation_id;  // decoded; look_up only
};
constexpr std::string_view dps_answer_filter = "$dps/registrations/res/#";
[[nodiscard]] base::Result<DpsTopic> parse_dps_topic(std::string_view topic);
// "$dps/registrations/res/{status}/?$rid={r}[&retry-after={s}]"
[[nodiscard]] std::string dps_answer_topic(int status, std::string_view request_id,
                                           std::optional<base::Seconds> retry);

}  // namespace mitral::azure
