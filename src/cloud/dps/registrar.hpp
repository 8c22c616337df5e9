#pragma once

#include <functional>
#include <optional>
#include <string>

#include "azure/dps.hpp"
#include "cloud/dps/gatekeeper.hpp"
#include "cloud/dps/registrations.hpp"
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
    // Asked at every request: the errorCode that it fails with. 400207 to 400209, of custom
    // allocation, are the end of a registration: they are asked for at its look-ups alone.
    std::function<std::optional<std::int64_t>(bool at_look_up)> failure{};
    // Asked at every look-up of what is not assigned: whether it stays so this time.
    std::function<bool()> still_assigning{};
    // Asked at every assignment: another hub than ours for this device.
    std::function<std::optional<std::string>(const std::string& device)> other_hub{};
    // Told when the data of a device was reset: its connection belongs to what is gone.
    std::function<void(const std::string& device)> device_reset{};
};

// The codes with which a registration ends as failed; all others refuse a call.
[[nodiscard]] bool ends_registration(std::int64_t error_code) noexcept;

// Registration as DPS does it: the first answer is always "assigning"; the hub identity exists when
// a look-up says "assigned". What registering again does is in dps/assignment.hpp.
class Registrar {
  public:
    Registrar(const Gatekeeper& gatekeeper, hub::Registry& registry, store::Database& database,
              const base::Clock& clock, RegistrarOptions options)
        : gatekeeper_(gatekeeper),
          registry_(registry),
          database_(database),
          registrations_(database),
          twins_(database, clock),
          clock_(clock),
          options_(std::move(options)) {}

    // Answers since the process started.
    struct Counters {
        std::uint64_t assigning = 0;
        std::uint64_t assigned = 0;
        std::uint64_t disabled = 0;
        std::uint64_t throttled = 0;
        std::uint64_t refused = 0;  // bad credentials
        std::uint64_t failed = 0;   // all other errors
    };
    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

    [[nodiscard]] Answer enroll(const Claim& claim, std::string_view body);
    [[nodiscard]] Answer look_up(const Claim& claim, std::string_view operation_id);
    // HTTPS only: the state without an operation id.
    [[nodiscard]] Answer state(const Claim& claim);

    [[nodiscard]] const Gatekeeper& gatekeeper() const noexcept { return gatekeeper_; }

  private:
    [[nodiscard]] base::Result<Answer> begin(const Claim& claim, std::string_view body);
    [[nodiscard]] base::Result<Answer> resolve(const Claim& claim,
                                               std::optional<std::string_view> operation_id);
    [[nodiscard]] base::Status assign(Registration& registration, const Admitted& admitted);
    [[nodiscard]] base::Status ensure_device(const std::optional<hub::Device>& known,
                                             const Admitted& admitted);
    [[nodiscard]] base::Status create_device(bool instead_of_another, const Admitted& admitted);
    [[nodiscard]] std::string allocate(const Registration& registration,
                                       const Admitted& admitted) const;
    [[nodiscard]] std::optional<Answer> throttled() const;
    // What a fault has to say instead of us.
    [[nodiscard]] std::optional<Answer> failure(const Claim& claim, bool at_look_up) const;
    [[nodiscard]] Answer failed_answer(const Claim& claim, std::int64_t code) const;
    [[nodiscard]] Answer assigned_answer(const Registration& registration) const;
    [[nodiscard]] Answer disabled_answer(const Claim& claim) const;
    [[nodiscard]] Answer error_answer(const base::Error& error, const Claim& claim) const;

    const Gatekeeper& gatekeeper_;
    hub::Registry& registry_;
    store::Database& database_;
    Registrations registrations_;
    hub::Twins twins_;
    const base::Clock& clock_;
    RegistrarOptions options_;
    mutable Counters counters_{};  // an answer is no change
};

}  // namespace mitral::cloud::dps
