#include "enrol/answers.hpp"

#include <fmt/format.h>

#include <string_view>

#include "azure/text.hpp"
#include "enrol/errors.hpp"

namespace mitral::enrol {
namespace {

using azure::RegistrationStatus;

// "401002 Unauthorized", when the body says so; the HTTP status otherwise.
std::string service_words(const HttpResponse& response) {
    const auto error = azure::parse_service_error(response.body);
    if (!error)
        return fmt::format("HTTP {}", response.status);
    return fmt::format("{} {}", error->code, azure::shown(error->message));
}

std::unexpected<base::Error> refuse(EnrolError code, const HttpResponse& response,
                                    std::string_view remedy) {
    return base::fail(code, fmt::format("{}; {}", service_words(response), remedy));
}

std::unexpected<base::Error> client_error(const HttpResponse& response) {
    switch (response.status) {
        case 401:
        case 403:
            return refuse(
                EnrolError::unauthorised, response,
                "compare the group key used at the station, the id scope and the registration "
                "id with the enrolment, and this unit's clock (mitral doctor)");
        case 404:
            return refuse(
                EnrolError::unknown_scope, response,
                "check the id scope this unit was provisioned with and that its enrolment "
                "exists");
        case 429:
            return refuse(EnrolError::throttled, response, "it asks to come back later");
        default:
            return refuse(EnrolError::unexpected_status, response,
                          "check that [enrol] dps names a Device Provisioning Service");
    }
}

std::string_view failure_remedy(std::int64_t code) {
    switch (code) {
        case 400207:
            return "look into the custom allocation function of the enrolment";
        case 400208:
            return "link an IoT hub to the provisioning service, or to this enrolment";
        case 400209:
            return "the provisioning service may not write to the hub: check its linked policy";
        default:
            return "look into the enrolment in the provisioning service";
    }
}

}  // namespace

base::Result<azure::RegistrationAnswer> read_answer(const HttpResponse& response) {
    if (response.status >= 500)
        return refuse(EnrolError::service_unavailable, response, "it asks to come back later");
    if (response.status >= 400)
        return client_error(response);
    if (response.status >= 300)
        return base::fail(EnrolError::redirected,
                          fmt::format("HTTP {}; something between this unit and DPS answers in its "
                                      "place",
                                      response.status));
    if (response.status != 200 && response.status != 202)
        return refuse(EnrolError::unexpected_status, response,
                      "check that [enrol] dps names a Device Provisioning Service");
    auto answer = azure::parse_registration_answer(response.body);
    if (!answer)
        return base::fail(EnrolError::malformed_answer, answer.error().message());
    if (answer->status == RegistrationStatus::unassigned && answer->operation_id.empty())
        return base::fail(EnrolError::malformed_answer, "unassigned, and no operation to follow");
    return answer;
}

base::Status judge_state(const azure::RegistrationAnswer& answer) {
    if (answer.status == RegistrationStatus::disabled)
        return base::fail(
            EnrolError::disabled,
            "enable the enrolment (or the unit's own entry) in the provisioning service");
    if (answer.status == RegistrationStatus::failed)
        return base::fail(EnrolError::failed, fmt::format("{} {}; {}", answer.error_code,
                                                          azure::shown(answer.error_message),
                                                          failure_remedy(answer.error_code)));
    if (answer.status != RegistrationStatus::assigned)
        return base::fail(EnrolError::malformed_answer, "the registration ended without a result");
    if (!answer.connection_profile.empty())
        return base::fail(EnrolError::unsupported_profile,
                          fmt::format("profile \"{}\"; link a classic IoT hub (MQTT 3.1.1) to this "
                                      "enrolment",
                                      azure::shown(answer.connection_profile)));
    return {};
}

base::Status judge_identity(const azure::RegistrationAnswer& answer,
                            const std::string& registration_id) {
    if (!answer.registration_id.empty() &&
        !azure::equal_ignoring_case(answer.registration_id, registration_id))
        return base::fail(EnrolError::foreign_identity,
                          fmt::format("the answer is for {}, this unit is {}",
                                      azure::shown(answer.registration_id), registration_id));
    if (answer.device_id != registration_id)
        return base::fail(EnrolError::foreign_identity,
                          fmt::format("the hub knows this unit as {}, its key is for {}; leave the "
                                      "device id out of the enrolment",
                                      azure::shown(answer.device_id), registration_id));
    return {};
}

std::unexpected<base::Error> foreign_hub(const std::string& hub) {
    return base::fail(
        EnrolError::foreign_hub,
        fmt::format("{} is not on the list this unit was provisioned with; if the fleet "
                    "moved, send the unit a signed policy order, otherwise somebody "
                    "changed the enrolment",
                    hub));
}

}  // namespace mitral::enrol
