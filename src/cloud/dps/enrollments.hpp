// Enrolments: groups and individual entries, with symmetric keys or X.509 certificates. Members of
// a group derive their key from its keys, or show a certificate that its authorities signed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cloud/store/database.hpp"

namespace mitral::cloud::dps {

enum class EnrollmentKind : std::uint8_t { group, individual };

enum class Attestation : std::uint8_t { symmetric_key, x509 };
[[nodiscard]] constexpr std::string_view name_of(Attestation attestation) noexcept {
    return attestation == Attestation::x509 ? "x509" : "symmetricKey";
}

struct Enrollment {
    EnrollmentKind kind = EnrollmentKind::group;
    std::string id{};      // group name, or registration id in lower case
    std::string device{};  // device id of an individual entry; empty: the registration id
    std::string etag{};
    bool enabled = true;
    Attestation attestation = Attestation::symmetric_key;
    std::string primary_key{};  // base64
    std::string secondary_key{};
    // PEM: of the authorities of a group, of the device of an individual entry.
    std::string primary_certificate{};
    std::string secondary_certificate{};
    // Of a group, instead of certificates: names of authorities (hub/authorities.hpp).
    std::string primary_reference{};
    std::string secondary_reference{};
    std::string initial_twin{};  // {"tags":{…},"properties":{"desired":{…}}}; empty: none
    // What happens when a device registers again: whether it may get another hub, and if so whether
    // its data goes with it or is reset.
    bool updates_hub_assignment = true;
    bool migrates_device_data = true;
    std::string allocation = "hashed";  // or "geoLatency", "static"
    std::vector<std::string> hubs{};    // "host[:port]"; none: the hub of this DPS
    bool edge = false;
    base::WallTime created{};
    base::WallTime updated{};
};

class Enrollments {
  public:
    static constexpr std::size_t max_groups = 100;  // DPS quota

    Enrollments(store::Database& database, const base::Clock& clock)
        : database_(database), clock_(clock) {}

    // Creates (with fresh keys where empty) or, when `etag` matches ("" for any), replaces. Fails
    // with stale_etag, invalid_argument.
    [[nodiscard]] base::Result<Enrollment> put(Enrollment enrollment, std::string_view etag);
    // Takes its registrations with it. Fails with not_found, stale_etag.
    [[nodiscard]] base::Status remove(EnrollmentKind kind, std::string_view id,
                                      std::string_view etag);
    [[nodiscard]] base::Result<std::optional<Enrollment>> find(EnrollmentKind kind,
                                                               std::string_view id) const;
    [[nodiscard]] base::Result<std::vector<Enrollment>> groups() const;
    // At most `limit` in the order of their ids, behind `after`.
    [[nodiscard]] base::Result<std::vector<Enrollment>> page(EnrollmentKind kind,
                                                             std::string_view after,
                                                             std::size_t limit) const;

  private:
    [[nodiscard]] base::Status check(const Enrollment& enrollment) const;
    [[nodiscard]] base::Status check_number_of_groups(const Enrollment& enrollment) const;

    store::Database& database_;
    const base::Clock& clock_;
};

}  // namespace mitral::cloud::dps
