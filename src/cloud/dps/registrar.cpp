#include "cloud/dps/registrar.hpp"

#include "azure/errors.hpp"
#include "azure/ids.hpp"
#include "azure/text.hpp"
#include "base/log.hpp"
#include "cloud/dps/assignment.hpp"
#include "cloud/dps/initial_twin.hpp"
#include "cloud/error.hpp"
#include "cloud/store/ids.hpp"
#include "cloud/store/transaction.hpp"

namespace mitral::cloud::dps {
namespace {

struct Refusal {
    int status;
    std::int64_t code;
    std::string_view message;
};

Refusal refusal_of(const base::Error& error) {
    if (error.code == CloudError::storage)
        return {500, 500000, "Internal server error"};
    if (error.code == CloudError::not_found)
        return {404, 404202, "Operation not found"};
    if (error.code == CloudError::invalid_argument ||
        error.code == azure::AzureError::malformed_answer ||
        error.code == azure::AzureError::too_large)
        return {400, 400004, "Invalid request"};
    return {401, 401002, "Unauthorized"};
}

azure::RegistrationAnswer assigning(const std::string& operation) {
    azure::RegistrationAnswer answer;
    answer.operation_id = operation;
    answer.status = azure::RegistrationStatus::assigning;
    return answer;
}

}  // namespace

bool ends_registration(std::int64_t error_code) noexcept {
    return error_code >= 400'207 && error_code <= 400'209;
}

Answer Registrar::enroll(const Claim& claim, std::string_view body) {
    if (auto refusal = throttled())
        return *std::move(refusal);
    if (auto failed = failure(claim, false))
        return *std::move(failed);
    auto answer = begin(claim, body);
    return answer ? *std::move(answer) : error_answer(answer.error(), claim);
}

Answer Registrar::look_up(const Claim& claim, std::string_view operation_id) {
    if (auto refusal = throttled())
        return *std::move(refusal);
    if (auto failed = failure(claim, true))
        return *std::move(failed);
    auto answer = resolve(claim, operation_id);
    return answer ? *std::move(answer) : error_answer(answer.error(), claim);
}

Answer Registrar::state(const Claim& claim) {
    auto answer = resolve(claim, std::nullopt);
    return answer ? *std::move(answer) : error_answer(answer.error(), claim);
}

base::Result<Answer> Registrar::begin(const Claim& claim, std::string_view body) {
    MITRAL_TRY(const auto admitted, gatekeeper_.admit(claim));
    if (!body.empty() && body != " ") {
        MITRAL_TRY(const auto request, azure::parse_register_request(body));
        if (!request.registration_id.empty() &&
            !azure::equal_ignoring_case(request.registration_id, claim.registration_id))
            return base::fail(CloudError::invalid_argument, "body names another registration id");
    }
    if (!admitted.enrollment.enabled)
        return disabled_answer(claim);
    const auto id = azure::normal_registration_id(claim.registration_id);
    MITRAL_TRY(auto known, registrations_.find(id));
    Registration registration = known ? *std::move(known) : Registration{.id = id};
    if (registration.created.ms == 0)
        registration.created = clock_.wall();
    registration.operation = store::new_operation_id();
    registration.assigned = false;
    registration.group =
        admitted.enrollment.kind == EnrollmentKind::group ? admitted.enrollment.id : std::string();
    registration.attestation = admitted.enrollment.attestation;
    registration.etag = store::new_etag();
    registration.updated = clock_.wall();
    MITRAL_CHECK(registrations_.put(registration));
    ++counters_.assigning;
    return Answer{202, azure::registration_answer_json(assigning(registration.operation)),
                  options_.retry_after};
}

base::Result<Answer> Registrar::resolve(const Claim& claim,
                                        std::optional<std::string_view> operation_id) {
    MITRAL_TRY(const auto admitted, gatekeeper_.admit(claim));
    MITRAL_TRY(auto registration, registrations_.find(claim.registration_id));
    if (!registration || (operation_id && registration->operation != *operation_id))
        return base::fail(CloudError::not_found, "no such operation");
    if (!admitted.enrollment.enabled)
        return disabled_answer(claim);
    if (!registration->assigned && options_.still_assigning && options_.still_assigning())
        return Answer{202, azure::registration_answer_json(assigning(registration->operation)),
                      options_.retry_after};
    if (!registration->assigned)
        MITRAL_CHECK(assign(*registration, admitted));
    return assigned_answer(*registration);
}

base::Status Registrar::assign(Registration& registration, const Admitted& admitted) {
    const auto& enrollment = admitted.enrollment;
    MITRAL_TRY(const auto known, registry_.find(admitted.device_id));
    auto assignment = dps::assign(enrollment, registration, known.has_value(),
                                  [&] { return allocate(registration, admitted); });
    if (assignment.resets_device && known) {
        MITRAL_CHECK(create_device(true, admitted));
        if (options_.device_reset)
            options_.device_reset(admitted.device_id);
    } else {
        MITRAL_CHECK(ensure_device(known, admitted));
    }
    registration.assigned = true;
    registration.hub = std::move(assignment.hub);
    registration.substatus = std::move(assignment.substatus);
    registration.device = admitted.device_id;
    registration.etag = store::new_etag();
    registration.updated = clock_.wall();
    base::log(base::Severity::info, "device-assigned",
              {{"registration", registration.id},
               {"hub", registration.hub},
               {"substatus", registration.substatus}});
    return registrations_.put(registration);
}

std::string Registrar::allocate(const Registration& registration, const Admitted& admitted) const {
    if (auto other = options_.other_hub ? options_.other_hub(admitted.device_id) : std::nullopt)
        return *std::move(other);
    auto hub = allocated_hub(admitted.enrollment, registration.id);
    return hub.empty() ? options_.assigned_hub : hub;
}

base::Status Registrar::ensure_device(const std::optional<hub::Device>& known,
                                      const Admitted& admitted) {
    if (!known)
        return create_device(false, admitted);
    if (known->authentication == admitted.authentication)
        return {};
    auto device = *known;
    device.authentication = admitted.authentication;
    MITRAL_TRY(const auto stored, registry_.update(std::move(device), "*"));
    (void)stored;
    return {};
}

// Device and initial twin are there together or not at all: a known device gets no initial twin.
base::Status Registrar::create_device(bool instead_of_another, const Admitted& admitted) {
    MITRAL_TRY(const auto change, read_initial_twin(admitted.enrollment.initial_twin));
    MITRAL_TRY(auto transaction, store::Transaction::begin(database_));
    if (instead_of_another)
        MITRAL_CHECK(registry_.remove(admitted.device_id, "*"));
    MITRAL_TRY(const auto stored, registry_.create({.id = admitted.device_id,
                                                    .authentication = admitted.authentication,
                                                    .edge = admitted.enrollment.edge}));
    MITRAL_TRY(const auto update, twins_.update({stored.id}, change, "*"));
    (void)update;
    return transaction.commit();
}

std::optional<Answer> Registrar::throttled() const {
    const auto wait = options_.throttled ? options_.throttled() : std::nullopt;
    if (!wait)
        return std::nullopt;
    const azure::ServiceError body{.code = 429001,
                                   .tracking_id = store::new_tracking_id(),
                                   .message = "Too many requests",
                                   .timestamp = base::to_iso8601(clock_.wall())};
    ++counters_.throttled;
    return Answer{429, azure::service_error_json(body), wait};
}

std::optional<Answer> Registrar::failure(const Claim& claim, bool at_look_up) const {
    const auto code = options_.failure ? options_.failure(at_look_up) : std::nullopt;
    if (!code)
        return std::nullopt;
    if (ends_registration(*code))
        return failed_answer(claim, *code);
    const azure::ServiceError body{.code = *code,
                                   .tracking_id = store::new_tracking_id(),
                                   .message = "fault: DPS failed",
                                   .timestamp = base::to_iso8601(clock_.wall())};
    return Answer{static_cast<int>(*code / 1000), azure::service_error_json(body), std::nullopt};
}

Answer Registrar::failed_answer(const Claim& claim, std::int64_t code) const {
    azure::RegistrationAnswer answer;
    answer.operation_id = store::new_operation_id();
    answer.status = azure::RegistrationStatus::failed;
    answer.registration_id = azure::normal_registration_id(claim.registration_id);
    answer.error_code = code;
    answer.error_message = "Custom allocation failed with status code: 400";
    return {200, azure::registration_answer_json(answer), std::nullopt};
}

Answer Registrar::assigned_answer(const Registration& registration) const {
    ++counters_.assigned;
    azure::RegistrationAnswer answer;
    answer.operation_id = registration.operation;
    answer.status = azure::RegistrationStatus::assigned;
    answer.registration_id = registration.id;
    answer.assigned_hub = registration.hub;
    answer.device_id = registration.device;
    answer.substatus = registration.substatus;
    answer.attestation = name_of(registration.attestation);
    answer.created = base::to_iso8601(registration.created);
    answer.last_updated = base::to_iso8601(registration.updated);
    answer.etag = registration.etag;
    return {200, azure::registration_answer_json(answer), std::nullopt};
}

Answer Registrar::disabled_answer(const Claim& claim) const {
    ++counters_.disabled;
    azure::RegistrationAnswer answer;
    answer.status = azure::RegistrationStatus::disabled;
    answer.registration_id = azure::normal_registration_id(claim.registration_id);
    return {200, azure::registration_answer_json(answer), std::nullopt};
}

Answer Registrar::error_answer(const base::Error& error, const Claim& claim) const {
    const auto refusal = refusal_of(error);
    ++(refusal.status == 401 ? counters_.refused : counters_.failed);
    if (refusal.status == 401)
        base::log_security(
            "registration-refused",
            {{"registration", azure::shown(claim.registration_id)}, {"cause", error.message()}});
    else
        base::log(base::Severity::warning, "registration-failed", {{"cause", error.message()}});
    const azure::ServiceError body{.code = refusal.code,
                                   .tracking_id = store::new_tracking_id(),
                                   .message = std::string(refusal.message),
                                   .timestamp = base::to_iso8601(clock_.wall())};
    return {refusal.status, azure::service_error_json(body), std::nullopt};
}

}  // namespace mitral::cloud::dps
