#pragma once

#include <string>
#include <string_view>

#include "azure/sas.hpp"
#include "cloud/dps/enrollments.hpp"

namespace mitral::cloud::dps {

struct Claim {  // what a device shows
    std::string_view id_scope;
    std::string_view registration_id;
    std::string_view token;
};

// The enrolment a device proved to belong to, and the keys that its hub identity gets.
struct Admitted {
    bool enabled = true;
    std::string device_id{};
    std::string primary_key{};  // base64
    std::string secondary_key{};
    std::string initial_twin{};  // as Enrollment::initial_twin
};

// Individual entries go first: a disabled one blocks although an enabled group would match.
class Gatekeeper {
  public:
    Gatekeeper(const Enrollments& enrollments, std::string id_scope, const base::Clock& clock,
               base::Seconds skew)
        : enrollments_(enrollments), id_scope_(std::move(id_scope)), clock_(clock), skew_(skew) {}

    // Fails with not_authorised, or storage.
    [[nodiscard]] base::Result<Admitted> admit(const Claim& claim) const;
    [[nodiscard]] const std::string& id_scope() const noexcept { return id_scope_; }

  private:
    [[nodiscard]] base::Result<Admitted> try_group(const Enrollment& group,
                                                   const azure::ParsedToken& token,
                                                   const Claim& claim) const;
    [[nodiscard]] base::Status verify(const azure::ParsedToken& token, const Claim& claim,
                                      base::ByteView primary, base::ByteView secondary) const;

    const Enrollments& enrollments_;
    std::string id_scope_;
    const base::Clock& clock_;
    base::Seconds skew_;
};

}  // namespace mitral::cloud::dps
