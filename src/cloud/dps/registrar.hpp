#pragma once

#include <functional>
#include <optional>
#include <string>

#include "azure/dps.hpp"
#include "cloud/dps/gatekeeper.hpp"
#include "cloud/hub/registry.hpp"
#include "cloud/hub/twins.hpp"

namespace mitral::cloud::dps {

// What goes back over MQTT or HTTPS, in the same words.
struct Answer {
    int status = 500;
    std::string body;
    std::optional<base::Seconds> retry_after{};
};

struct RegistrarOptions {
    std::string assigned_hub{};  // "host[:port]" of our hub
    base::Seconds retry_after{1};
    // Asked at every request: how long the device is told to wait when DPS is throttled.
    std::function<std::optional<base::Seconds>()> throttled{};
    // Asked at every assignment: another hub than ours for this device.
    std::function<std::optional<std::string>(const std::string& device)> other_hub{};
};

// Registration as DPS does it: the first answer is always "assigning"; the hub identity exists when
// a look-up says "assigned". Allocation policies, re-provisioning rules and other hubs grow here.
class Registrar {
  public:
    Registrar(const Gatekeeper& gatekeeper, hub::Registry& registry, store::Database& database,
              const base::Clock& clock, RegistrarOptions options)
        : gatekeeper_(gatekeeper),
          registry_(registry),
          database_(database),
          twins_(database, clock),
          clock_(clock),
          options_(std::move(options)) {}

    [[nodiscard]] Answer enroll(const Claim& claim, std::string_view body);
    [[nodiscard]] Answer look_up(const Claim& claim, std::string_view operation_id);
    // HTTPS only: the state without an operation id.
    [[nodiscard]] Answer state(const Claim& claim);

    [[nodiscard]] const Gatekeeper& gatekeeper() const noexcept { return gatekeeper_; }

  private:
    struct Registration {
        std::string id{};
        std::string operation{};
        bool assigned = false;
        std::string hub{};
        std::string device{};
        std::string etag{};
        base::WallTime created{};
        base::WallTime updated{};
    };

    [[nodiscard]] base::Result<std::optional<Registration>> find(std::string_view id) const;
    [[nodiscard]] base::Status store(const Registration& registration);
    [[nodiscard]] base::Result<Answer> begin(const Claim& claim, std::string_view body);
    [[nodiscard]] base::Result<Answer> resolve(const Claim& claim,
                                               std::optional<std::string_view> operation_id);
    [[nodiscard]] base::Status assign(Registration& registration, const Admitted& admitted);
    [[nodiscard]] base::Status ensure_device(const Admitted& admitted);
    [[nodiscard]] base::Status create_device(const Admitted& admitted);
    [[nodiscard]] std::optional<Answer> throttled() const;
    [[nodiscard]] Answer assigned_answer(const Registration& registration,
                                         const Admitted& admitted) const;
    [[nodiscard]] Answer disabled_answer(const Claim& claim) const;
    [[nodiscard]] Answer error_answer(const base::Error& error, const Claim& claim) const;

    const Gatekeeper& gatekeeper_;
    hub::Registry& registry_;
    store::Database& database_;
    hub::Twins twins_;
    const base::Clock& clock_;
    RegistrarOptions options_;
};

}  // namespace mitral::cloud::dps
