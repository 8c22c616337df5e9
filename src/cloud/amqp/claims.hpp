// Which resources a peer has shown tokens for (AMQP claims-based security), and until when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cloud/hub/authenticator.hpp"

namespace mitral::cloud::amqp {

struct Claim {
    std::string resource{};    // "host[:port][/path]", without a scheme
    std::uint32_t rights = 0;  // of hub::Right; none for a device
    std::int64_t expiry_s = 0;
};

// Judges tokens as REST and MQTT do: by the keys of policies, devices and modules.
class ClaimJudge {
  public:
    ClaimJudge(const hub::Authenticator& authenticator, const hub::Policies& policies,
               const hub::Hosts& hosts, const base::Clock& clock, base::Seconds skew)
        : authenticator_(authenticator),
          policies_(policies),
          hosts_(hosts),
          clock_(clock),
          skew_(skew) {}

    // Tokens of IoT Hub are signed with the decoded key, those of Event Hubs with its text, and
    // name their resource with a scheme ("sb://…"). Both are taken.
    [[nodiscard]] base::Result<Claim> judge(std::string_view token) const;
    // SASL PLAIN: "policy" or "policy@sas.root.hub", with the policy's key or a token of it.
    [[nodiscard]] base::Result<Claim> judge_plain(std::string_view user,
                                                  std::string_view password) const;
    [[nodiscard]] std::int64_t now_s() const { return clock_.wall().unix_seconds(); }

  private:
    [[nodiscard]] base::Result<Claim> judge_policy(const azure::ParsedToken& token) const;
    [[nodiscard]] base::Result<Claim> judge_device(const azure::ParsedToken& token,
                                                   std::string_view text) const;

    const hub::Authenticator& authenticator_;
    const hub::Policies& policies_;
    const hub::Hosts& hosts_;
    const base::Clock& clock_;
    base::Seconds skew_;
};

// What one connection has shown. A newer token for the same resource replaces the older one.
class Claims {
  public:
    static constexpr std::size_t limit = 256;

    // False when there are too many.
    [[nodiscard]] bool add(Claim claim);
    [[nodiscard]] bool empty() const noexcept { return claims_.empty(); }
    // When the first of them ends.
    [[nodiscard]] std::optional<std::int64_t> first_expiry_s() const;
    // Forgets those that ended before this; true when there were any.
    bool drop_ended(std::int64_t before_s);
    // Is there a claim with these rights for the path (without a leading '/')? Until when, in Unix
    // seconds; the longest one counts.
    [[nodiscard]] std::optional<std::int64_t> allowed_until(std::string_view path,
                                                            std::uint32_t rights) const;

  private:
    std::vector<Claim> claims_;
};

}  // namespace mitral::cloud::amqp
