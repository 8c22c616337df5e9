#pragma once

#include <span>
#include <string>
#include <string_view>

#include "azure/sas.hpp"
#include "cloud/dps/enrollments.hpp"
#include "cloud/hub/authentication.hpp"
#include "cloud/hub/authorities.hpp"

namespace mitral::cloud::dps {

struct Claim {  // what a device shows
    std::string_view id_scope;
    std::string_view registration_id;
    std::string_view token;
    std::span<const base::Bytes> certificates{};  // DER, its own first; nothing beside a token
};

// The enrolment a device proved to belong to, and what its hub identity is to take.
struct Admitted {
    Enrollment enrollment{};
    std::string device_id{};
    hub::Authentication authentication{};
    int authority_distance = 0;  // of a group with certificates: as tls::check_chain() counts
};

// Individual entries go first: a disabled one blocks although an enabled group would match. Of
// groups with certificates the one whose authority is nearest counts, so that disabling the group
// of an intermediate shuts out its devices although a group of the root stays open.
class Gatekeeper {
  public:
    Gatekeeper(const Enrollments& enrollments, const hub::Authorities& authorities,
               std::string id_scope, const base::Clock& clock, base::Seconds skew)
        : enrollments_(enrollments),
          authorities_(authorities),
          id_scope_(std::move(id_scope)),
          clock_(clock),
          skew_(skew) {}

    // A token is for enrolments with keys, a certificate for those with certificates: its common
    // name is the registration id. Fails with not_authorised, or storage.
    [[nodiscard]] base::Result<Admitted> admit(const Claim& claim) const;
    [[nodiscard]] const std::string& id_scope() const noexcept { return id_scope_; }

  private:
    [[nodiscard]] base::Result<Admitted> try_individual(const Enrollment& entry,
                                                        const Claim& claim) const;
    [[nodiscard]] base::Result<Admitted> try_groups(const Claim& claim) const;
    [[nodiscard]] base::Result<Admitted> try_group(const Enrollment& group,
                                                   const Claim& claim) const;
    [[nodiscard]] base::Result<hub::Authentication> member_key(const Enrollment& group,
                                                               const Claim& claim) const;
    [[nodiscard]] base::Result<int> authority_distance(const Enrollment& group,
                                                       const Claim& claim) const;
    [[nodiscard]] base::Result<hub::Authentication> own_key(const Enrollment& entry,
                                                            const Claim& claim) const;
    [[nodiscard]] base::Result<hub::Authentication> own_certificate(const Enrollment& entry,
                                                                    const Claim& claim) const;
    [[nodiscard]] base::Result<std::vector<std::string>> anchors_of(const Enrollment& group) const;
    [[nodiscard]] base::Status verify(const Claim& claim, base::ByteView primary,
                                      base::ByteView secondary) const;

    const Enrollments& enrollments_;
    const hub::Authorities& authorities_;
    std::string id_scope_;
    const base::Clock& clock_;
    base::Seconds skew_;
};

}  // namespace mitral::cloud::dps
