// Who may connect, and who may call the service API. Every refusal has a reason for the log; the
// other side only learns "no".
#pragma once

#include <string>
#include <string_view>

#include "azure/sas.hpp"
#include "azure/topics.hpp"
#include "cloud/hub/authorities.hpp"
#include "cloud/hub/hosts.hpp"
#include "cloud/hub/policies.hpp"
#include "cloud/hub/registry.hpp"

namespace mitral::cloud::hub {

struct DeviceIdentity {
    Device device;
    std::string module;                            // empty: the device itself
    std::optional<std::int64_t> token_expiry_s{};  // none: a certificate was shown
    std::string generation{};                      // of the module, or of the device
    std::string model{};  // "model-id" of the user name (IoT Plug and Play); empty: none
};

class Authenticator {
  public:
    // `skew`: how long past its end a token is still taken when it is shown.
    Authenticator(const Registry& registry, const Authorities& authorities,
                  const Policies& policies, const Hosts& hosts, const base::Clock& clock,
                  base::Seconds skew)
        : registry_(registry),
          authorities_(authorities),
          policies_(policies),
          hosts_(hosts),
          clock_(clock),
          skew_(skew) {}

    // MQTT: client id, user name and credential must name the same device (AZURE:
    // {hub}/{device}[/{module}]).
    [[nodiscard]] base::Result<DeviceIdentity> device(std::string_view client_id,
                                                      std::string_view user_name,
                                                      const Credential& credential) const;

    // HTTP: the token of this device or module, or of a policy with DeviceConnect; or, for an
    // identity of that type, its certificate.
    [[nodiscard]] base::Result<DeviceIdentity> request(std::string_view device,
                                                       std::string_view module,
                                                       const Credential& credential) const;

    // "device" or "device/module"; false when it cannot be told.
    [[nodiscard]] bool names_disabled_device(std::string_view client_id) const;

    // HTTP: a shared access policy of `service` that has all `rights`.
    [[nodiscard]] base::Status service(std::string_view service, std::string_view token,
                                       std::uint32_t rights) const;

  private:
    [[nodiscard]] base::Status check_device_token(const azure::ParsedToken& token,
                                                  const Device& device, const Module* module) const;
    [[nodiscard]] base::Status check_certificate(std::span<const base::Bytes> chain,
                                                 const Authentication& wanted,
                                                 std::string_view name) const;
    [[nodiscard]] base::Status check_policy(const azure::ParsedToken& token,
                                            std::string_view service, std::uint32_t rights,
                                            std::string_view wanted) const;
    [[nodiscard]] base::Status verify(const azure::ParsedToken& token, std::string_view primary,
                                      std::string_view secondary, std::string_view wanted) const;

    const Registry& registry_;
    const Authorities& authorities_;
    const Policies& policies_;
    const Hosts& hosts_;
    const base::Clock& clock_;
    base::Seconds skew_;
};

}  // namespace mitral::cloud::hub
