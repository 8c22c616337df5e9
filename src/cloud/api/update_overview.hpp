// Private to cloud/api.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "cloud/adu/device_update.hpp"

namespace mitral::cloud::api {

// What all answers about devices are made from, read once for each request.
class Overview {
  public:
    static base::Result<Overview> make(adu::DeviceUpdate& service) {
        Overview all(service);
        MITRAL_TRY(all.agents_, service.fleet.agents());
        MITRAL_TRY(all.classes_, service.fleet.classes());
        MITRAL_TRY(const auto ids, service.updates.list());
        for (const auto& id : ids) {
            MITRAL_TRY(auto update, service.updates.find(id));
            if (update.manifest.deployable)
                all.updates_.push_back(std::move(update));
        }
        return all;
    }

    const std::vector<adu::Agent>& agents() const { return agents_; }
    const std::vector<adu::DeviceClass>& classes() const { return classes_; }
    const adu::DeviceClass* device_class(std::string_view id) const {
        const auto found = std::find_if(classes_.begin(), classes_.end(),
                                        [&](const auto& one) { return one.id == id; });
        return found == classes_.end() ? nullptr : &*found;
    }
    std::vector<const adu::StoredUpdate*> fitting(std::string_view class_id) const {
        std::vector<const adu::StoredUpdate*> found;
        const auto* device_class = this->device_class(class_id);
        for (const auto& update : updates_)
            if (device_class && adu::is_compatible(update.manifest, device_class->properties))
                found.push_back(&update);
        return found;
    }
    // The highest version that fits.
    const adu::StoredUpdate* best(std::string_view class_id) const {
        const adu::StoredUpdate* newest = nullptr;
        for (const auto* update : fitting(class_id))
            if (newest == nullptr ||
                adu::is_older(newest->manifest.id.version, update->manifest.id.version))
                newest = update;
        return newest;
    }
    bool on_latest(const adu::Agent& agent) const {
        const auto report = adu::read_report(agent.agent);
        const auto* newest = best(agent.class_id);
        return newest == nullptr || (report && report->installed == newest->manifest.id);
    }
    base::Result<bool> in_progress(const adu::Agent& agent) const {
        MITRAL_TRY(const auto last, service_->deployments.last(agent.name()));
        return last && last->progress == adu::DeviceProgress::in_progress;
    }

  private:
    explicit Overview(adu::DeviceUpdate& service) : service_(&service) {}
    adu::DeviceUpdate* service_;
    std::vector<adu::Agent> agents_;
    std::vector<adu::DeviceClass> classes_;
    std::vector<adu::StoredUpdate> updates_;
};

}  // namespace mitral::cloud::api
