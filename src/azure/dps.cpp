#include "azure/dps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "azure/errors.hpp"
#include "azure/ids.hpp"
#include "azure/json_private.hpp"
#include "azure/text.hpp"

namespace mitral::azure {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 512;      // ids, names, times
constexpr std::size_t max_message = 2048;  // what a person reads

constexpr std::array<std::pair<std::string_view, RegistrationStatus>, 6> status_names{{
    {"unassigned", RegistrationStatus::unassigned},
    {"assigning", RegistrationStatus::assigning},
    {"assigned", RegistrationStatus::assigned},
    {"failed", RegistrationStatus::failed},
    {"disabled", RegistrationStatus::disabled},
    {"blacklisted", RegistrationStatus::disabled},  // the name of earlier API versions
}};

base::Result<RegistrationStatus> parse_status(const json& body) {
    MITRAL_TRY(const auto text, text_member(body, "status", max_text));
    const auto lowered = to_lower(text);
    const auto* found = std::ranges::find(status_names, lowered,
                                          &std::pair<std::string_view, RegistrationStatus>::first);
    if (found == status_names.end())
        return base::fail(AzureError::malformed_answer,
                          fmt::format("unknown registration status \"{}\"", shown(text)));
    return found->second;
}

// Custom allocation may attach any JSON; it must come back as the JSON it was.
void add_raw(json& object, const char* name, const std::string& text) {
    if (text.empty())
        return;
    auto value = json::parse(text, nullptr, false);
    if (!value.is_discarded())
        object[name] = std::move(value);
}

void add_text(json& object, const char* name, const std::string& text) {
    if (!text.empty())
        object[name] = text;
}

base::Status read_state(const json& state, RegistrationAnswer& answer) {
    MITRAL_TRY(answer.registration_id, text_member(state, "registrationId", max_text));
    MITRAL_TRY(const auto hub, text_member(state, "assignedHub", max_text));
    answer.assigned_hub = to_lower(hub);
    MITRAL_TRY(answer.device_id, text_member(state, "deviceId", max_text));
    MITRAL_TRY(answer.substatus, text_member(state, "substatus", max_text));
    MITRAL_TRY(answer.error_code, integer_member(state, "errorCode"));
    MITRAL_TRY(answer.error_message, text_member(state, "errorMessage", max_message));
    MITRAL_TRY(answer.created, text_member(state, "createdDateTimeUtc", max_text));
    MITRAL_TRY(answer.last_updated, text_member(state, "lastUpdatedDateTimeUtc", max_text));
    MITRAL_TRY(answer.etag, text_member(state, "etag", max_text));
    MITRAL_TRY(answer.connection_profile, text_member(state, "connectionProfile", max_text));
    answer.payload = raw_member(state, "payload");
    for (const auto* kind : {"symmetricKey", "x509", "tpm"}) {
        if (state.contains(kind))
            answer.attestation = kind;
    }
    return {};
}

base::Status check_assignment(const RegistrationAnswer& answer) {
    if (const auto hub = check_host(answer.assigned_hub); !hub)
        return base::fail(AzureError::malformed_answer, "assignedHub " + hub.error().context);
    if (const auto device = check_device_id(answer.device_id); !device)
        return base::fail(AzureError::malformed_answer, "deviceId " + device.error().context);
    return {};
}

json state_json(const RegistrationAnswer& answer) {
    json state = json::object();
    if (!answer.attestation.empty())
        state[answer.attestation] = json::object();
    add_text(state, "registrationId", answer.registration_id);
    add_text(state, "createdDateTimeUtc", answer.created);
    add_text(state, "assignedHub", answer.assigned_hub);
    add_text(state, "deviceId", answer.device_id);
    state["status"] = to_string(answer.status);
    add_text(state, "substatus", answer.substatus);
    if (answer.error_code != 0)
        state["errorCode"] = answer.error_code;
    add_text(state, "errorMessage", answer.error_message);
    add_text(state, "lastUpdatedDateTimeUtc", answer.last_updated);
    add_text(state, "etag", answer.etag);
    add_text(state, "connectionProfile", answer.connection_profile);
    add_raw(state, "payload", answer.payload);
    return state;
}

}  // namespace

std::string_view to_string(RegistrationStatus status) noexcept {
    const auto* found = std::ranges::find(status_names, status,
                                          &std::pair<std::string_view, RegistrationStatus>::second);
    return found == status_names.end() ? "unknown" : found->first;
}

std::string dps_register_path(std::string_view id_scope, std::string_view registration) {
    return fmt::format("/{}/registrations/{}/register?api-version={}", percent_encode(id_scope),
                       percent_encode(registration), dps_api_version);
}

std::string dps_operation_path(std::string_view id_scope, std::string_view registration,
                               std::string_view operation) {
    return fmt::format("/{}/registrations/{}/operations/{}?api-version={}",
                       percent_encode(id_scope), percent_encode(registration),
                       percent_encode(operation), dps_api_version);
}

std::string register_request_json(const RegisterRequest& request) {
    json body = json::object();
    add_text(body, "registrationId", request.registration_id);
    add_raw(body, "payload", request.payload);
    add_text(body, "csr", request.csr);
    return dump(body);
}

base::Result<RegisterRequest> parse_register_request(std::string_view text) {
    RegisterRequest request;
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return request;
    MITRAL_TRY(const auto body, parse_json_object(text));
    MITRAL_TRY(request.registration_id, text_member(body, "registrationId", max_text));
    MITRAL_TRY(request.csr, text_member(body, "csr", max_dps_body));
    request.payload = raw_member(body, "payload");
    return request;
}

std::string registration_answer_json(const RegistrationAnswer& answer) {
    json body = json::object();
    body["operationId"] = answer.operation_id;
    body["status"] = to_string(answer.status);
    if (answer.status != RegistrationStatus::assigning &&
        answer.status != RegistrationStatus::unassigned)
        body["registrationState"] = state_json(answer);
    return dump(body);
}

base::Result<RegistrationAnswer> parse_registration_answer(std::string_view text) {
    MITRAL_TRY(const auto body, parse_json_object(text));
    RegistrationAnswer answer;
    MITRAL_TRY(answer.operation_id, text_member(body, "operationId", max_text));
    MITRAL_TRY(answer.status, parse_status(body));
    MITRAL_TRY(const auto* state, object_member(body, "registrationState"));
    if (state != nullptr)
        MITRAL_CHECK(read_state(*state, answer));
    if (answer.status == RegistrationStatus::assigned)
        MITRAL_CHECK(check_assignment(answer));
    if (answer.status == RegistrationStatus::assigning && answer.operation_id.empty())
        return base::fail(AzureError::malformed_answer, "assigning without an operationId");
    return answer;
}

std::string service_error_json(const ServiceError& error) {
    json body = json::object();
    body["errorCode"] = error.code;
    body["trackingId"] = error.tracking_id;
    body["message"] = error.message;
    body["timestampUtc"] = error.timestamp;
    return dump(body);
}

base::Result<ServiceError> parse_service_error(std::string_view text) {
    MITRAL_TRY(const auto body, parse_json_object(text));
    if (!body.contains("errorCode"))
        return base::fail(AzureError::malformed_answer, "no errorCode");
    ServiceError error;
    MITRAL_TRY(error.code, integer_member(body, "errorCode"));
    MITRAL_TRY(error.tracking_id, text_member(body, "trackingId", max_text));
    MITRAL_TRY(error.message, text_member(body, "message", max_message));
    MITRAL_TRY(error.timestamp, text_member(body, "timestampUtc", max_text));
    return error;
}

base::Seconds retry_after(std::optional<std::string_view> header) noexcept {
    constexpr std::int64_t absent = 2;
    constexpr std::int64_t longest = 300;
    if (!header)
        return base::Seconds(absent);
    std::int64_t value = 0;
    const auto* end = header->data() + header->size();
    const auto [stopped, error] = std::from_chars(header->data(), end, value);
    if (error == std::errc::result_out_of_range && stopped == end)
        return base::Seconds(header->starts_with('-') ? 1 : longest);
    if (error != std::errc{} || stopped != end)
        return base::Seconds(absent);
    return base::Seconds(std::clamp<std::int64_t>(value, 1, longest));
}

}  // namespace mitral::azure
