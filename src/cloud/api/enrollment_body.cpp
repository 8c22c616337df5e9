#include "cloud/api/enrollment_body.hpp"

#include "azure/text.hpp"
#include "cloud/api/attestation_body.hpp"
#include "cloud/error.hpp"

namespace mitral::cloud::api {
namespace {

using dps::Enrollment;
using dps::EnrollmentKind;

void read_flag(const Json& body, std::string_view object, std::string_view name, bool& flag) {
    const auto* holder = member(body, object);
    const auto* value = holder != nullptr ? member(*holder, name) : nullptr;
    if (value != nullptr && value->is_boolean())
        flag = value->get<bool>();
}

base::Status read_hubs(const Json& body, Enrollment& enrollment) {
    enrollment.allocation = text_member(body, "allocationPolicy", enrollment.allocation);
    if (const auto* hubs = member(body, "iotHubs"); hubs != nullptr && !hubs->is_null()) {
        if (!hubs->is_array())
            return base::fail(CloudError::invalid_argument, "iotHubs is an array of host names");
        for (const auto& hub : *hubs)
            enrollment.hubs.push_back(hub.is_string() ? hub.get<std::string>() : std::string());
    }
    // The older way to say "static".
    if (const auto hub = text_member(body, "iotHubHostName");
        !hub.empty() && enrollment.hubs.empty()) {
        enrollment.hubs.push_back(hub);
        enrollment.allocation = "static";
    }
    return {};
}

}  // namespace

const char* id_member(EnrollmentKind kind) {
    return kind == EnrollmentKind::group ? "enrollmentGroupId" : "registrationId";
}

Json enrollment_json(const Enrollment& enrollment) {
    Json body{{id_member(enrollment.kind), enrollment.id}};
    if (enrollment.kind == EnrollmentKind::individual && !enrollment.device.empty())
        body["deviceId"] = enrollment.device;
    body["attestation"] = attestation_json(enrollment);
    body["capabilities"] = {{"iotEdge", enrollment.edge}};
    body["etag"] = enrollment.etag;
    body["provisioningStatus"] = enrollment.enabled ? "enabled" : "disabled";
    body["reprovisionPolicy"] = {{"updateHubAssignment", enrollment.updates_hub_assignment},
                                 {"migrateDeviceData", enrollment.migrates_device_data}};
    body["allocationPolicy"] = enrollment.allocation;
    if (!enrollment.hubs.empty())
        body["iotHubs"] = enrollment.hubs;
    if (!enrollment.initial_twin.empty())
        body["initialTwin"] = Json::parse(enrollment.initial_twin, nullptr, false);
    body["createdDateTimeUtc"] = base::to_iso8601(enrollment.created);
    body["lastUpdatedDateTimeUtc"] = base::to_iso8601(enrollment.updated);
    return body;
}

base::Result<Enrollment> read_enrollment(const Json& body, EnrollmentKind kind,
                                         const std::string& id) {
    if (!azure::equal_ignoring_case(text_member(body, id_member(kind), id), id))
        return base::fail(CloudError::invalid_argument,
                          std::string(id_member(kind)) + " differs from the path");
    if (const auto* information = member(body, "optionalDeviceInformation");
        information != nullptr && !information->empty())
        return base::fail(CloudError::not_supported, "Optional device information");
    Enrollment enrollment{.kind = kind, .id = id};
    enrollment.device = text_member(body, "deviceId");
    const auto status = text_member(body, "provisioningStatus", "enabled");
    if (status != "enabled" && status != "disabled")
        return base::fail(CloudError::invalid_argument,
                          "provisioningStatus is enabled or disabled");
    enrollment.enabled = status == "enabled";
    if (const auto* twin = member(body, "initialTwin"); twin != nullptr && !twin->is_null())
        enrollment.initial_twin = dump(*twin);
    read_flag(body, "capabilities", "iotEdge", enrollment.edge);
    read_flag(body, "reprovisionPolicy", "updateHubAssignment", enrollment.updates_hub_assignment);
    read_flag(body, "reprovisionPolicy", "migrateDeviceData", enrollment.migrates_device_data);
    MITRAL_CHECK(read_hubs(body, enrollment));
    MITRAL_CHECK(read_attestation(body, enrollment));
    return enrollment;
}

Json registration_json(const dps::Registration& registration) {
    Json body{{"registrationId", registration.id},
              {"status", registration.assigned ? "assigned" : "assigning"},
              {"createdDateTimeUtc", base::to_iso8601(registration.created)},
              {"lastUpdatedDateTimeUtc", base::to_iso8601(registration.updated)},
              {"etag", registration.etag}};
    if (!registration.hub.empty()) {
        body["assignedHub"] = registration.hub;
        body["deviceId"] = registration.device;
        body["substatus"] = registration.substatus;
    }
    return body;
}

}  // namespace mitral::cloud::api
