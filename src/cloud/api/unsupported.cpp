#include "cloud/api/unsupported.hpp"

#include <array>

#include "cloud/api/json.hpp"
#include "cloud/store/ids.hpp"

namespace mitral::cloud::api {
namespace {

using http::Method;

constexpr std::string_view later = "not built yet";
constexpr std::string_view edge = "no IoT Edge deployments here";
constexpr std::string_view no_storage = "needs a storage account";

constexpr std::array calls{
    UnsupportedCall{"POST /messages/devicebound", "Send cloud-to-device message",
                    "send with mitral-cloud send or over the admin port"},
    UnsupportedCall{"GET /messages/serviceBound/feedback", "Receive feedback",
                    "read it over the admin port"},
    UnsupportedCall{"DELETE /messages/serviceBound/feedback/{lock}", "Complete feedback",
                    "read it over the admin port"},
    UnsupportedCall{"POST /messages/serviceBound/feedback/{lock}/abandon", "Abandon feedback",
                    "read it over the admin port"},
    UnsupportedCall{"POST /devices/{device}/files", "Create file upload SAS URI", no_storage},
    UnsupportedCall{"POST /devices/{device}/files/notifications", "Update file upload status",
                    no_storage},
    UnsupportedCall{"POST /devices/{device}/files/notifications/{correlation}",
                    "Update file upload status", no_storage},
    UnsupportedCall{"GET /messages/serviceBound/filenotifications", "Receive file notification",
                    no_storage},
    UnsupportedCall{"DELETE /messages/serviceBound/filenotifications/{lock}",
                    "Complete file notification", no_storage},
    UnsupportedCall{"POST /messages/serviceBound/filenotifications/{lock}/abandon",
                    "Abandon file notification", no_storage},
    UnsupportedCall{"POST /jobs/create", "Create import or export job", no_storage},
    UnsupportedCall{"GET /jobs", "Get import and export jobs", no_storage},
    UnsupportedCall{"GET /jobs/{job}", "Get import or export job", no_storage},
    UnsupportedCall{"DELETE /jobs/{job}", "Cancel import or export job", no_storage},
    UnsupportedCall{"GET /configurations", "Get configurations", edge},
    UnsupportedCall{"GET /configurations/{id}", "Get configuration", edge},
    UnsupportedCall{"PUT /configurations/{id}", "Create or update configuration", edge},
    UnsupportedCall{"DELETE /configurations/{id}", "Delete configuration", edge},
    UnsupportedCall{"POST /configurations/testQueries", "Test configuration queries", edge},
    UnsupportedCall{"POST /devices/{device}/applyConfigurationContent", "Apply configuration",
                    edge},
    UnsupportedCall{"GET /digitaltwins/{device}", "Get digital twin", later},
    UnsupportedCall{"PATCH /digitaltwins/{device}", "Update digital twin", later},
    UnsupportedCall{"POST /digitaltwins/{device}/commands/{command}", "Invoke root level command",
                    later},
    UnsupportedCall{"POST /digitaltwins/{device}/components/{component}/commands/{command}",
                    "Invoke component command", later},
    UnsupportedCall{"GET /deviceUpdate/{instance}/management/deviceDiagnostics/deviceHealth",
                    "Device Update: list device health", "no health checks here"},
    UnsupportedCall{"POST /deviceUpdate/{instance}/management/devices:import",
                    "Device Update: import devices", "an agent is known once it reports"},
    UnsupportedCall{"GET /deviceUpdate/{instance}/management/operations",
                    "Device Update: list device operations", "none of them is long-running"},
    UnsupportedCall{"GET /deviceUpdate/{instance}/management/operations/{operation}",
                    "Device Update: get device operation", "none of them is long-running"},
    UnsupportedCall{"DELETE /deviceUpdate/{instance}/management/deviceClasses/{class}",
                    "Device Update: delete device class", "kept for the history"},
    UnsupportedCall{"DELETE /deviceUpdate/{instance}/management/groups/{group}",
                    "Device Update: delete group", "kept for the history"},
    UnsupportedCall{"DELETE /deviceUpdate/{instance}/management/groups/{group}/"
                    "deviceClassSubgroups/{class}",
                    "Device Update: delete subgroup", "kept for the history"},
    UnsupportedCall{"DELETE /deviceUpdate/{instance}/management/groups/{group}/"
                    "deviceClassSubgroups/{class}/deployments/{deployment}",
                    "Device Update: delete subgroup deployment",
                    "delete the deployment of the group"},
    UnsupportedCall{"AMQP devices/…", "AMQP for devices", "devices speak MQTT or HTTPS"},
    UnsupportedCall{"MQTT 5", "MQTT 5 preview", "CONNECT gets code 1"},
    UnsupportedCall{"$iothub/credentials/…", "Certificate renewal over MQTT",
                    "a preview; the connection is closed"},
    UnsupportedCall{"attestation tpm", "TPM attestation",
                    "Microsoft's C SDK gave it up as well; use keys or certificates"},
    UnsupportedCall{"allocationPolicy custom", "Custom allocation policy",
                    "needs an Azure Function to call"},
    UnsupportedCall{"optionalDeviceInformation", "Optional device information",
                    "put it into the initial twin"},
    UnsupportedCall{"rollbackPolicy", "Device Update: cloud-initiated rollback",
                    "deploy the older update"},
    UnsupportedCall{"authentication none", "Authentication of type none",
                    "only IoT Edge makes use of it"},
    UnsupportedCall{"bulk with moduleId", "Modules in bulk", "create them one by one"},
    UnsupportedCall{"deviceScope, parentScopes", "Parent and child devices", edge},
    UnsupportedCall{"FROM devices.jobs", "Query of devices.jobs",
                    "of a job that is over only the numbers stay"},
    UnsupportedCall{"WHERE tags.a + 1 = 2", "Arithmetic in queries",
                    "calculate where the answer arrives"},
};

std::string_view path_of(const UnsupportedCall& entry) {
    const auto slash = entry.call.find(" /");
    return slash == std::string_view::npos ? std::string_view() : entry.call.substr(slash + 1);
}

Method method_of(std::string_view call) {
    const auto word = call.substr(0, call.find(' '));
    if (word == "GET")
        return Method::get;
    if (word == "PUT")
        return Method::put;
    if (word == "POST")
        return Method::post;
    return word == "PATCH" ? Method::patch : Method::remove;
}

}  // namespace

http::Response not_implemented(std::string_view name) {
    return json_response(
        501, {{"Message", "ErrorCode:NotImplemented;" + std::string(name) + " is not supported"},
              {"ExceptionMessage", "Tracking ID:" + store::new_tracking_id()}});
}

std::span<const UnsupportedCall> unsupported_calls() noexcept {
    return calls;
}

void mount_unsupported(http::Router& router) {
    for (const auto& entry : calls)
        if (const auto path = path_of(entry); !path.empty())
            router.add(method_of(entry.call), path,
                       [name = entry.name](const http::Request&, const http::Captures&) {
                           return not_implemented(name);
                       });
}

}  // namespace mitral::cloud::api
