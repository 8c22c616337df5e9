#include "cloud/process.hpp"

#include "cloud/api/admin_api.hpp"
#include "cloud/api/authorities_api.hpp"
#include "cloud/api/bulk_api.hpp"
#include "cloud/api/calls_api.hpp"
#include "cloud/api/deployment_board_api.hpp"
#include "cloud/api/device_events_api.hpp"
#include "cloud/api/device_management_api.hpp"
#include "cloud/api/device_update_api.hpp"
#include "cloud/api/devicebound_api.hpp"
#include "cloud/api/enrollment_bulk_api.hpp"
#include "cloud/api/fault_script_api.hpp"
#include "cloud/api/jobs_api.hpp"
#include "cloud/api/limits_api.hpp"
#include "cloud/api/methods_api.hpp"
#include "cloud/api/metrics_api.hpp"
#include "cloud/api/modules_api.hpp"
#include "cloud/api/provisioning_api.hpp"
#include "cloud/api/provisioning_query_api.hpp"
#include "cloud/api/query_api.hpp"
#include "cloud/api/registrations_api.hpp"
#include "cloud/api/registry_api.hpp"
#include "cloud/api/statistics_api.hpp"
#include "cloud/api/twins_api.hpp"
#include "cloud/api/unsupported.hpp"
#include "cloud/api/update_files_api.hpp"
#include "cloud/api/websocket_api.hpp"
#include "cloud/metrics/open_count.hpp"
#include "cloud/page/status_page.hpp"

namespace mitral::cloud {

std::unique_ptr<mqtt::Connection> Process::make_mqtt(front::Transport& transport,
                                                     mqtt::Service& meter) {
    return std::make_unique<mqtt::Connection>(transport, meter, roster_, counters_);
}

std::unique_ptr<front::Protocol> Process::make_amqp(front::Transport& transport,
                                                    std::uint64_t& open) {
    return std::make_unique<metrics::CountedFrom>(open, transport,
                                                  amqp_endpoint_->accept(transport));
}

void Process::mount_services() {
    amqp_endpoint_.emplace(
        amqp::Parts{authenticator_, state_->policies, hosts_, log_, news_, queue_,
                    [this](std::string_view device) {
                        ++meters_.back_ends.devicebound_taken;
                        devicebound_.wake(device);
                    },
                    [this] { return !limits_ || limits_->take(limits::Limit::devicebound); },
                    *clock_, meters_.back_ends},
        amqp::EndpointOptions{.consumer_groups = settings_.consumer_groups,
                              .clock_skew = settings_.clock_skew,
                              .limits = {.expiry_grace = settings_.expiry_grace}});
    hub_.add(twins_);
    hub_.add(methods_);
    hub_.add(devicebound_);
    registrar_.emplace(
        gatekeeper_, state_->registry, state_->database, *clock_,
        dps::RegistrarOptions{
            .assigned_hub = settings_.assigned_hub,
            .retry_after = settings_.retry_after,
            .throttled = [this] { return dps_throttled(); },
            .failure = [this](bool at_look_up) { return dps_failure(at_look_up); },
            .still_assigning = [this] { return faults_.strike(Fault::dps_assigning).has_value(); },
            .other_hub = [this](const std::string& device) { return other_hub(device); },
            .device_reset =
                [this](const std::string& device) {
                    (void)hub_.disconnect(device, "device data was reset");
                }});
    dps_.emplace(*registrar_);
    switchboard_.emplace(hub_, *dps_);
    front_.emplace(*switchboard_, faults_, *clock_);
    if (limits_)
        gate_.emplace(*front_, *limits_);
    mqtt::Service& entrance = gate_ ? static_cast<mqtt::Service&>(*gate_) : *front_;
    mqtt_meter_.emplace(entrance, meters_.mqtt);
    websocket_meter_.emplace(entrance, meters_.websocket);
    api::mount_limits(admin_routes_, limits_ ? &*limits_ : nullptr);
    api::RegistryApi{state_->registry, hub_, authenticator_}.mount(public_routes_);
    api::BulkApi{state_->registry, hub_, authenticator_}.mount(public_routes_);
    api::ModulesApi{state_->registry.modules(), hub_, authenticator_}.mount(public_routes_);
    api::DeviceboundApi{queue_, devicebound_, authenticator_}.mount(public_routes_);
    api::DeviceEventsApi{hub_, log_, authenticator_, *clock_, [this] { return commit(); }}.mount(
        public_routes_);
    api::DeviceboundAdminApi{queue_, devicebound_}.mount(admin_routes_);
    api::MethodsApi{state_->registry, methods_, authenticator_}.mount(public_routes_);
    api::ProvisioningApi{*registrar_, state_->enrollments, authenticator_}.mount(public_routes_);
    api::EnrollmentBulkApi{state_->enrollments, authenticator_}.mount(public_routes_);
    api::ProvisioningQueryApi{state_->enrollments, state_->registrations, authenticator_}.mount(
        public_routes_);
    api::RegistrationsApi{state_->registrations, authenticator_}.mount(public_routes_);
    api::TwinsApi{state_->twins, hub_, authenticator_}.mount(public_routes_);
    api::QueryApi{state_->twins, hub_, authenticator_}.mount(public_routes_);
    api::StatisticsApi{state_->registry, hub_, authenticator_}.mount(public_routes_);
    api::WebsocketApi{
        faults_,
        [this](front::Transport& transport) { return make_mqtt(transport, *websocket_meter_); },
        [this](front::Transport& transport) {
            return make_amqp(transport, meters_.amqp_websocket_open);
        }}
        .mount(public_routes_);
    mount_updates();
    api::JobsApi{runner_, jobs_, authenticator_, *clock_}.mount(public_routes_);
    api::mount_unsupported(public_routes_);
    api::AuthoritiesApi{state_->authorities}.mount(admin_routes_);
    api::AdminApi{state_->registry, hub_, log_, news_, faults_}.mount(admin_routes_);
    api::MetricsApi{meters_,          hub_,
                    methods_,         queue_,
                    *registrar_,      log_,
                    faults_,          pool_,
                    counters_,        state_->database,
                    responder_.get(), limits_ ? &*limits_ : nullptr}
        .mount(admin_routes_);
    public_handler_ = [this](const http::Request& request) {
        auto response = answer_public(request);
        replies_.distort(response);
        return response;
    };
    api::CallsApi{public_routes_}.mount(admin_routes_);
    page::mount(admin_routes_);
    api::FaultScriptApi{faults_, script_}.mount(admin_routes_);
    admin_handler_ = [this](const http::Request& request) {
        return page::is_from_this_machine(request) ? route_admin(request) : page::refusal();
    };
}

void Process::mount_updates() {
    for (const auto& [routes, guard] :
         {std::pair(&public_routes_, api::update_policy(authenticator_)),
          std::pair(&admin_routes_, api::anyone())}) {
        api::DeviceUpdateApi{updates_}.mount(*routes, guard);
        api::DeviceManagementApi{updates_}.mount(*routes, guard);
        api::DeploymentsApi{updates_}.mount(*routes, guard);
    }
    api::UpdateKeysApi{updates_.keys}.mount(admin_routes_);
    api::DeploymentBoardApi{state_->database}.mount(admin_routes_);
    for (auto* routes : {&public_routes_, &files_routes_})
        api::UpdateFilesApi{updates_}.mount(*routes);
    files_handler_ = [this](const http::Request& request) { return files_routes_.route(request); };
}

// The command line asks for the service API here, with the same tokens as over HTTPS.
http::Response Process::route_admin(const http::Request& request) {
    constexpr std::string_view service = "/service";
    if (!request.path.starts_with("/service/")) {
        const bool to_device =
            request.method == http::Method::post && request.path.ends_with("/messages");
        const auto serve = [this](const auto& call) { return admin_routes_.route(call); };
        return limits_ && to_device ? api::within_limits(*limits_, request, serve) : serve(request);
    }
    auto inner = request;
    inner.path.erase(0, service.size());
    return answer_public(inner);
}

http::Response Process::answer_public(const http::Request& request) {
    const auto serve = [this](const auto& call) { return public_routes_.route(call); };
    return meters_.api.count(
        request, limits_ ? api::within_limits(*limits_, request, serve) : serve(request));
}

}  // namespace mitral::cloud
