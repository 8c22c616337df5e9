// Which hub a registration gets, and what becomes of the data that its device left at one.
#pragma once

#include <optional>
#include <string>

#include "cloud/dps/registrations.hpp"

namespace mitral::cloud::dps {

struct Assignment {
    std::string hub{};
    std::string substatus{};
    bool resets_device = false;  // the device begins anew, with its initial twin
};

// `before`: what DPS remembers. `device_exists`: at a hub, whoever made it. `hub`: what allocation
// gives; asked for only when the hub may change.
template <typename Allocate>
[[nodiscard]] Assignment assign(const Enrollment& enrollment, const Registration& before,
                                bool device_exists, Allocate&& hub) {
    if (before.hub.empty())
        return {hub(), device_exists ? "reprovisionedToInitialAssignment" : "initialAssignment"};
    if (!enrollment.updates_hub_assignment)
        return {before.hub, before.substatus};
    if (enrollment.migrates_device_data)
        return {hub(), "deviceDataMigrated"};
    return {hub(), "deviceDataReset", true};
}

// Of the hubs that an enrolment names, as its allocation policy says: the first when static, else
// one by the hash of the registration id, the same each time. Empty when it names none.
[[nodiscard]] std::string allocated_hub(const Enrollment& enrollment,
                                        std::string_view registration_id);

}  // namespace mitral::cloud::dps
