// All of the HTTPS port's calls over a state directory, without ports, processes and TLS.
#pragma once

#include "azure/sas.hpp"
#include "base/encoding.hpp"
#include "cloud/adu/device_update.hpp"
#include "cloud/api/bulk_api.hpp"
#include "cloud/api/device_events_api.hpp"
#include "cloud/api/device_management_api.hpp"
#include "cloud/api/device_update_api.hpp"
#include "cloud/api/device_update_calls.hpp"
#include "cloud/api/devicebound_api.hpp"
#include "cloud/api/enrollment_bulk_api.hpp"
#include "cloud/api/jobs_api.hpp"
#include "cloud/api/methods_api.hpp"
#include "cloud/api/modules_api.hpp"
#include "cloud/api/provisioning_api.hpp"
#include "cloud/api/provisioning_query_api.hpp"
#include "cloud/api/query_api.hpp"
#include "cloud/api/registrations_api.hpp"
#include "cloud/api/registry_api.hpp"
#include "cloud/api/statistics_api.hpp"
#include "cloud/api/twins_api.hpp"
#include "cloud/api/update_files_api.hpp"
#include "cloud/hub/twin_channel.hpp"
#include "cloud/state.hpp"
#include "support/temporary_directory.hpp"

namespace mitral::cloud::test {

class ApiStand {
  public:
    ApiStand() {
        updates_.open().value();
        updates_.rollout.open("http://localhost/update-files", [](const hub::TwinUpdate&) {})
            .value();
        runner_.open().value();
        for (auto* family : std::initializer_list<hub::TopicFamily*>{&twins_, &methods_, &inbox_})
            hub_.add(*family);
        mount();
    }

    [[nodiscard]] const http::Router& router() const noexcept { return router_; }
    [[nodiscard]] std::string scope() const { return state_->id_scope; }
    // For the policy that may do everything in `service`.
    [[nodiscard]] std::string token(std::string_view service, std::string_view name) const {
        const auto key = base::secret_from_base64(
            state_->policies.find(service, name).value().value().primary_key);
        const auto token = azure::sign_token(key.value().view(), "localhost",
                                             clock_.wall().unix_seconds() + 3600, name);
        return std::string(base::as_text(token.value().view()));
    }
    // What was put off: imports, slices of jobs, roll-outs.
    void turn() {
        loop_->run_once(base::Milliseconds(0)).value();
        log_.commit().value();
    }

  private:
    void mount() {
        api::RegistryApi{state_->registry, hub_, authenticator_}.mount(router_);
        api::BulkApi{state_->registry, hub_, authenticator_}.mount(router_);
        api::ModulesApi{state_->registry.modules(), hub_, authenticator_}.mount(router_);
        api::DeviceboundApi{queue_, inbox_, authenticator_}.mount(router_);
        api::DeviceEventsApi{hub_, log_, authenticator_, clock_, [this] { return log_.commit(); }}
            .mount(router_);
        api::MethodsApi{state_->registry, methods_, authenticator_}.mount(router_);
        api::ProvisioningApi{registrar_, state_->enrollments, authenticator_}.mount(router_);
        api::EnrollmentBulkApi{state_->enrollments, authenticator_}.mount(router_);
        api::ProvisioningQueryApi{state_->enrollments, state_->registrations, authenticator_}.mount(
            router_);
        api::RegistrationsApi{state_->registrations, authenticator_}.mount(router_);
        api::TwinsApi{state_->twins, hub_, authenticator_}.mount(router_);
        api::QueryApi{state_->twins, hub_, authenticator_}.mount(router_);
        api::StatisticsApi{state_->registry, hub_, authenticator_}.mount(router_);
        api::JobsApi{runner_, jobs_, authenticator_, clock_}.mount(router_);
        const auto guard = api::update_policy(authenticator_);
        api::DeviceUpdateApi{updates_}.mount(router_, guard);
        api::DeviceManagementApi{updates_}.mount(router_, guard);
        api::DeploymentsApi{updates_}.mount(router_, guard);
        api::UpdateFilesApi{updates_}.mount(router_);
    }

    mitral::test::TemporaryDirectory directory_;
    base::SystemClock clock_;
    std::unique_ptr<base::EventLoop> loop_ = base::EventLoop::create().value();
    std::unique_ptr<State> state_ = State::open(directory_.path(), clock_).value();
    log::MessageLog log_ =
        log::MessageLog::open({.directory = directory_.path("log"), .maximum_bytes = 1U << 20U})
            .value();
    hub::Hosts hosts_{{"localhost"}};
    hub::SessionStore sessions_{state_->database};
    hub::Authenticator authenticator_{state_->registry, state_->authorities,
                                      state_->policies, hosts_,
                                      clock_,           base::Seconds(300)};
    dps::Gatekeeper gatekeeper_{state_->enrollments, state_->authorities, state_->id_scope, clock_,
                                base::Seconds(300)};
    hub::TwinChannel twins_{state_->twins};
    hub::MethodChannel methods_{*loop_};
    hub::DeviceboundQueue queue_{state_->database, clock_};
    hub::DeviceboundChannel inbox_{queue_};
    hub::Service hub_{authenticator_, sessions_, log_, clock_, {}};
    jobs::Store jobs_{state_->database};
    jobs::Runner runner_{{.loop = *loop_,
                          .clock = clock_,
                          .store = jobs_,
                          .twins = state_->twins,
                          .methods = methods_,
                          .document =
                              [](const hub::Twin& twin) {
                                  return Json::parse(api::twin_json(twin, false), nullptr, false);
                              },
                          .push = [](const hub::TwinUpdate&) {}}};
    adu::DeviceUpdate updates_{*loop_, clock_, state_->database, state_->twins,
                               directory_.path("updates")};
    dps::Registrar registrar_{
        gatekeeper_, state_->registry, state_->database, clock_, {.assigned_hub = "localhost"}};
    http::Router router_;
};

}  // namespace mitral::cloud::test
